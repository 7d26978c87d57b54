"""A linear classifier on frozen vectors: how much a model's features say in plain sight."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.classification import (
    COLUMNS,
    TRAINED_TESTED,
    accuracies,
    classes_of,
)
from likewise.evaluation.protocols.inputs import as_vectors, at_unit_length
from likewise.evaluation.protocols.logistic import Regression, fit
from likewise.evaluation.protocols.query_sets import Flags, need_columns
from likewise.evaluation.ranking import Floats, Ints, Progress

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
HELD_OUT = 5


class LinearProbe(Protocol):
    """Accuracy of a multinomial logistic regression that is fitted to the training items.

    It minimises the mean cross-entropy plus half the penalty times the squared weights, on
    L2-normalised vectors. The penalty is the one of six that names most of every fifth training
    item of each class, fitted to the others; then all are fitted.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
    ICML 2020 (arXiv:2002.05709), B.8.1: logistic regression by L-BFGS on frozen features, the
    penalty chosen on held-out training data.
    """

    name: ClassVar[str] = "linear-probe"
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def switchboard(self) -> dict[str, Any]:
        """The switches by name."""
        told = TRAINED_TESTED.describe()
        return {
            **{name: told[name] for name in ("queries", "gallery", "normalise", "percent")},
            "classifier": "multinomial logistic regression, L-BFGS",
            "penalty": "of 1e-1 ... 1e-6 the best on every fifth training item of each class",
            "ties": "the first label by name",
            "metric": "accuracy",
            "denominator": "test items whose label was trained",
            "average": told["average"],
            "decimals": told["decimals"],
        }

    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Fit the classifier, and name the test items."""
        need_columns(self.name, self.columns, rows)
        ready, norms = as_vectors(vectors, rows["item_id"].to_list())
        ready = at_unit_length(ready, norms)
        found = classes_of(rows)
        learned, codes = np.unique(found.codes[found.trained], return_inverse=True)
        penalty, model = _chosen(ready[found.trained], codes, progress)
        scores = model.scores(ready[found.tested])
        winners = learned[scores.argmax(axis=1)]
        places = _places(scores, learned, found.codes[found.tested])
        means, main = accuracies(rows, found, places)
        five = np.where(found.scored, places <= 5, np.nan)
        queries = (
            rows[found.tested]
            .select("item_id", "label", "subset")
            .with_columns(
                pl.Series("accuracy@5", five).fill_nan(None),
                value=pl.Series(main).fill_nan(None),
                predicted=pl.Series([found.names[winner] for winner in winners]),
            )
        )
        counts = {
            "queries": int(found.scored.sum()),
            "gallery": len(found.trained),
            "labels": len(learned),
        }
        notes = [*found.notes, f"the penalty is {penalty:g}"]
        return Evaluation(
            means.values, queries, self.describe(), notes, means.intervals, counts
        )


def _chosen(
    vectors: Floats, codes: Ints, progress: Progress | None
) -> tuple[float, Regression]:
    """The penalty that names most of the held-out items, and the classifier fitted with it."""
    held = _held_out(codes)
    best, right = PENALTIES[0], -1
    for step, penalty in enumerate(PENALTIES):
        if not held.any():
            break
        model = fit(vectors[~held], codes[~held], int(codes.max()) + 1, penalty)
        named = int((model.scores(vectors[held]).argmax(axis=1) == codes[held]).sum())
        if named > right:
            best, right = penalty, named
        if progress:
            progress(step + 1, len(PENALTIES) + 1)
    model = fit(vectors, codes, int(codes.max()) + 1, best)
    if progress:
        progress(len(PENALTIES) + 1, len(PENALTIES) + 1)
    return best, model


def _held_out(codes: Ints) -> Flags:
    """(n,) every fifth item of each class, in the items' order."""
    order = np.argsort(codes, kind="stable")
    first = np.searchsorted(codes[order], codes[order])
    held = np.zeros(len(codes), bool)
    held[order] = (np.arange(len(codes)) - first) % HELD_OUT == HELD_OUT - 1
    return held


def _places(scores: Floats, learned: Ints, own: Ints) -> Ints:
    """(q,) where each item's own class stands among the scored; far behind: not learned."""
    column = np.minimum(np.searchsorted(learned, own), len(learned) - 1)
    mine = np.take_along_axis(scores, column[:, None], 1)
    ahead = (scores > mine).sum(axis=1)
    ties = ((scores == mine) & (np.arange(len(learned)) < column[:, None])).sum(axis=1)
    places: Ints = np.where(learned[column] == own, 1 + ahead + ties, np.iinfo(np.int64).max)
    return places
