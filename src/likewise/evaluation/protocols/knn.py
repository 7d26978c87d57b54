"""Nearest neighbours as a classifier: how self-supervised models are compared."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.averages import query_rows
from likewise.evaluation.protocols.base import Evaluation, Parties, Protocol
from likewise.evaluation.protocols.classification import (
    COLUMNS,
    TRAINED_TESTED,
    Classes,
    accuracies,
    classes_of,
)
from likewise.evaluation.protocols.inputs import as_lists, as_vectors, at_unit_length
from likewise.evaluation.protocols.query_sets import need_columns, pose
from likewise.evaluation.ranking import (
    Floats,
    Ints,
    Progress,
    Ranking,
    rank_lists,
    rank_vectors,
)

K = 20
TAU = 0.07


class Knn(Protocol):
    """Accuracy of 20 nearest training items that vote, the nearer the more.

    Each of the 20 training items with the greatest cosine votes for its class with the weight
    ``exp(cosine / 0.07)``; of equal classes the first by name wins. Training items without a
    label do not vote.

    Source: Wu et al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination,
    CVPR 2018 (arXiv:1805.01978), 3.4; with k = 20: Caron et al., Emerging Properties in
    Self-Supervised Vision Transformers, ICCV 2021 (arXiv:2104.14294).
    """

    name: ClassVar[str] = "knn"
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def switchboard(self) -> dict[str, Any]:
        """The switches by name."""
        told = TRAINED_TESTED.describe()
        kept = ("queries", "gallery", "score", "normalise", "direction", "ties", "percent")
        return {
            **{name: told[name] for name in kept},
            "neighbours": K,
            "weight": f"exp(cosine / {TAU})",
            "metric": "accuracy",
            "denominator": "test items whose label was trained",
            "depth": K,
            "average": told["average"],
            "decimals": told["decimals"],
        }

    def parties(self, rows: pl.DataFrame) -> Parties:
        """Whom an index is to rank for whom."""
        found = classes_of(rows)
        return Parties(found.tested, pose(TRAINED_TESTED, rows).gallery)

    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Let the nearest training items of every test item vote."""
        need_columns(self.name, self.columns, rows)
        ready, norms = as_vectors(vectors, rows["item_id"].to_list())
        ready = at_unit_length(ready, norms)
        task = pose(TRAINED_TESTED, rows)
        asked, ranked = ready[task.queries], ready[task.gallery]
        ranking = rank_vectors(asked, ranked, task.relevant, top=K, progress=progress)
        return self._evaluation(ranking, rows)

    def evaluate_lists(
        self,
        lists: npt.NDArray[Any] | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Floats | None = None,
    ) -> Evaluation:
        """Let the training items vote that an index found."""
        need_columns(self.name, self.columns, rows)
        if scores is None:
            raise DataError("knn weighs votes by their scores, and lists have none")
        task = pose(TRAINED_TESTED, rows)
        ready = as_lists(lists, [""] * len(task.queries), len(task.gallery), padded=True)
        ranking = rank_lists(ready, task.relevant, [], len(task.gallery), scores=scores, top=K)
        return self._evaluation(ranking, rows)

    def _evaluation(self, ranking: Ranking, rows: pl.DataFrame) -> Evaluation:
        found, task = classes_of(rows), pose(TRAINED_TESTED, rows)
        votes = _votes(ranking, found.codes[task.gallery])
        places, winners = _places(votes, found)
        means, main = accuracies(rows, found, places)
        five = np.where(found.scored, places <= 5, np.nan)
        queries = query_rows(rows, task, ranking, main).with_columns(
            pl.Series("accuracy@5", five).fill_nan(None),
            predicted=pl.Series([found.names[w] if w >= 0 else None for w in winners]),
        )
        counts = {
            "queries": int(found.scored.sum()),
            "gallery": len(task.gallery),
            "labels": len(np.unique(found.codes[found.trained])),
        }
        told = self.describe()
        return Evaluation(means.values, queries, told, found.notes, means.intervals, counts)


def _votes(ranking: Ranking, classes: Ints) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Query, class and summed weight, by query, then weight descending, then class."""
    rows, scores = ranking.top_rows, ranking.top_scores.astype(np.float64)
    there = (rows >= 0) & (classes[rows] >= 0)
    # Weights are relative: the nearest has 1, so that none overflows.
    weight = np.exp((scores - np.nanmax(scores, axis=1, initial=-1, keepdims=True)) / TAU)
    query = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)[there]
    size = int(classes.max(initial=0)) + 1
    keys, inverse = np.unique(query * size + classes[rows][there], return_inverse=True)
    counted = np.bincount(inverse, weights=weight[there], minlength=len(keys))
    sums = counted.astype(np.float64)
    order = np.lexsort((keys % size, -sums, keys // size))
    return keys[order] // size, keys[order] % size, sums[order]


def _places(
    votes: tuple[Ints, Ints, npt.NDArray[np.float64]], found: Classes
) -> tuple[Ints, Ints]:
    """Where each tested item's class stands among the voted, far behind if nowhere; who won."""
    query, named, _ = votes
    count = len(found.tested)
    begins = np.searchsorted(query, np.arange(count))
    place = np.arange(len(query)) - begins[query] + 1
    places, winners = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    own = found.codes[found.tested][query] == named
    places[query[own]] = place[own]
    winners[query[place == 1]] = named[place == 1]
    return places, winners
