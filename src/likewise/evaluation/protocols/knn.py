"""Classification by k nearest neighbours, a common protocol for self-supervised models."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.averages import query_rows
from likewise.evaluation.protocols.base import (
    Evaluation,
    GalleryRanking,
    Protocol,
    QuerySets,
)
from likewise.evaluation.protocols.classification import (
    COLUMNS,
    TRAIN_TEST,
    ClassificationTask,
    accuracies,
    classification_task,
)
from likewise.evaluation.protocols.inputs import as_lists, as_vectors, l2_normalised
from likewise.evaluation.protocols.query_sets import build_task, require_columns
from likewise.evaluation.protocols.stored_vectors import rank_stored, stored_norms
from likewise.evaluation.ranking import Progress, Ranking, rank_lists, rank_vectors
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Int64Array
from likewise.formats.vector_blocks import VectorBlocks

K = 20
TAU = 0.07


class Knn(Protocol):
    """Accuracy of a weighted vote of the 20 nearest training items.

    Each of the 20 training items with the highest cosine votes for its class with the weight
    ``exp(cosine / 0.07)``. Ties are broken by class name. Training items without a label do not
    vote.

    Source: Wu et al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination,
    CVPR 2018 (arXiv:1805.01978), 3.4; with k = 20: Caron et al., Emerging Properties in
    Self-Supervised Vision Transformers, ICCV 2021 (arXiv:2104.14294).
    """

    name: ClassVar[str] = "knn"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    reads_blocks: ClassVar[bool] = True

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns of the protocol."""
        require_columns(self.name, self.columns, rows)

    @property
    def formula(self) -> str:
        """The score of a class, and the metric."""
        vote = f"sum(exp(cosine / {TAU}) for the {K} nearest training items of c)"
        return f"share of test items whose class c has the largest {vote}"

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        spec = TRAIN_TEST.describe()
        shared = ("queries", "gallery", "score", "normalise", "direction", "ties", "percent")
        return {
            **{name: spec[name] for name in shared},
            "neighbours": K,
            "weight": f"exp(cosine / {TAU})",
            "metric": "accuracy",
            "denominator": "test items whose label was trained",
            "depth": K,
            "average": spec["average"],
            "decimals": spec["decimals"],
        }

    def query_sets(self, rows: pl.DataFrame) -> QuerySets:
        """Return the test items and the training items."""
        split = classification_task(rows)
        return QuerySets(split.test, build_task(TRAIN_TEST, rows).gallery)

    def evaluate_vectors(
        self,
        vectors: AnyArray | VectorBlocks,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Classify test items by their nearest training items."""
        require_columns(self.name, self.columns, rows)
        task = build_task(TRAIN_TEST, rows)
        if isinstance(vectors, VectorBlocks):
            norms = stored_norms(vectors, rows["item_id"])
            ranking = rank_stored(vectors, task, norms, top=K, progress=progress)
            return self._evaluation(ranking, rows)
        ready, norms = as_vectors(vectors, rows["item_id"])
        ready = l2_normalised(ready, norms)
        queries, gallery = ready[task.queries], ready[task.gallery]
        ranking = rank_vectors(queries, gallery, task.relevant, top=K, progress=progress)
        return self._evaluation(ranking, rows)

    def evaluate_lists(
        self,
        lists: AnyArray | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Float32Array | None = None,
    ) -> Evaluation:
        """Classify test items by the training items that an index returned."""
        require_columns(self.name, self.columns, rows)
        if scores is None:
            raise DataError(
                "knn weights the votes of neighbours by their scores, and ranked lists have "
                "no scores; give embeddings instead"
            )
        task = build_task(TRAIN_TEST, rows)
        ready = as_lists(lists, [""] * len(task.queries), len(task.gallery), padded=True)
        ranking = rank_lists(ready, task.relevant, [], len(task.gallery), scores=scores, top=K)
        return self._evaluation(ranking, rows)

    def gallery_ranking(self, rows: pl.DataFrame) -> GalleryRanking | None:
        """Return the ranking of the training items for every test item."""
        return GalleryRanking(build_task(TRAIN_TEST, rows), normalise=True, top=K)

    def evaluate_ranking(
        self, ranking: Ranking, norms: Float64Array, rows: pl.DataFrame
    ) -> Evaluation:
        """Classify test items by the ranking of ``gallery_ranking``."""
        return self._evaluation(ranking, rows)

    def _evaluation(self, ranking: Ranking, rows: pl.DataFrame) -> Evaluation:
        split, task = classification_task(rows), build_task(TRAIN_TEST, rows)
        votes = _votes(ranking, split.codes[task.gallery])
        ranks, winners = _ranks(votes, split)
        means, main = accuracies(rows, split, ranks)
        top5 = np.where(split.scored, ranks <= 5, np.nan)
        queries = query_rows(rows, task, ranking, main).with_columns(
            pl.Series("accuracy@5", top5).fill_nan(None),
            predicted=pl.Series([split.names[w] if w >= 0 else None for w in winners]),
        )
        counts = {
            "queries": int(split.scored.sum()),
            "gallery": len(task.gallery),
            "labels": len(np.unique(split.codes[split.train])),
        }
        return Evaluation(
            means.values,
            queries,
            self.describe(),
            split.notes,
            means.intervals,
            counts,
            means.unrounded,
        )


def _votes(
    ranking: Ranking, classes: Int64Array
) -> tuple[Int64Array, Int64Array, Float64Array]:
    """Sum the votes by query and class.

    Returns:
        Query, class and summed weight, ordered by query, then weight descending, then class.
    """
    rows, scores = ranking.top_rows, ranking.top_scores.astype(np.float64)
    voting = (rows >= 0) & (classes[rows] >= 0)
    # Weights are relative to the nearest item, whose weight is 1, so that none overflows.
    weight = np.exp((scores - np.nanmax(scores, axis=1, initial=-1, keepdims=True)) / TAU)
    query = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)[voting]
    size = int(classes.max(initial=0)) + 1
    keys, inverse = np.unique(query * size + classes[rows][voting], return_inverse=True)
    counted = np.bincount(inverse, weights=weight[voting], minlength=len(keys))
    sums = counted.astype(np.float64)
    order = np.lexsort((keys % size, -sums, keys // size))
    return keys[order] // size, keys[order] % size, sums[order]


def _ranks(
    votes: tuple[Int64Array, Int64Array, Float64Array], split: ClassificationTask
) -> tuple[Int64Array, Int64Array]:
    """Rank the classes of every test item by their votes.

    Returns:
        (q,) rank of the item's own class, the maximum of int64 if it has no vote; and (q,)
        class with the highest vote, -1 without votes.
    """
    query, classes, _ = votes
    count = len(split.test)
    begins = np.searchsorted(query, np.arange(count))
    rank = np.arange(len(query)) - begins[query] + 1
    ranks, winners = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    own = split.codes[split.test][query] == classes
    ranks[query[own]] = rank[own]
    winners[query[rank == 1]] = classes[rank == 1]
    return ranks, winners
