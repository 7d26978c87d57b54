"""A linear classifier on frozen vectors."""

from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.classification import (
    COLUMNS,
    TRAIN_TEST,
    accuracies,
    class_ranks,
    classification_task,
)
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.logistic import Regression, fit
from likewise.evaluation.protocols.query_sets import require_columns
from likewise.evaluation.protocols.stored_vectors import taken
from likewise.evaluation.ranking import Progress
from likewise.formats.array_types import AnyArray, BoolArray, Float32Array, Int64Array
from likewise.formats.vector_blocks import VectorBlocks

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
HELD_OUT = 5


class LinearProbe(Protocol):
    """Accuracy of a multinomial logistic regression that is fitted to the training items.

    The training minimises the mean cross-entropy plus ``penalty / 2`` times the sum of squared
    weights, on L2-normalised vectors. Of six penalties, the one with the highest accuracy on
    every fifth training item of each class is selected by fitting to the other items. The final
    model is fitted to all training items.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
    ICML 2020 (arXiv:2002.05709), B.8.1: logistic regression by L-BFGS on frozen features, the
    penalty chosen on held-out training data.
    """

    name: ClassVar[str] = "linear-probe"
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns of the protocol."""
        require_columns(self.name, self.columns, rows)

    @property
    def formula(self) -> str:
        """The metric, and what is minimised."""
        return (
            "share of test items whose class is predicted; minimised: "
            "mean cross-entropy + penalty / 2 * sum(weight ** 2)"
        )

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        spec = TRAIN_TEST.describe()
        return {
            **{name: spec[name] for name in ("queries", "gallery", "normalise", "percent")},
            "classifier": "multinomial logistic regression, L-BFGS",
            "penalty": "of 1e-1 ... 1e-6 the best on every fifth training item of each class",
            "ties": "the first label by name",
            "metric": "accuracy",
            "denominator": "test items whose label was trained",
            "average": spec["average"],
            "decimals": spec["decimals"],
        }

    def evaluate_vectors(
        self,
        vectors: AnyArray | VectorBlocks,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Fit the classifier and classify the test items."""
        require_columns(self.name, self.columns, rows)
        if isinstance(vectors, VectorBlocks):
            vectors = taken(vectors, np.arange(vectors.rows), None)
        ready, norms = as_vectors(vectors, rows["item_id"])
        ready = l2_normalised(ready, norms)
        split = classification_task(rows)
        learned, codes = np.unique(split.codes[split.train], return_inverse=True)
        penalty, model = _fit_with_best_penalty(ready[split.train], codes, progress)
        scores = model.scores(ready[split.test])
        predicted = learned[scores.argmax(axis=1)]
        ranks = class_ranks(scores, learned, split.codes[split.test])
        means, main = accuracies(rows, split, ranks)
        top5 = np.where(split.scored, ranks <= 5, np.nan)
        queries = (
            rows[split.test]
            .select("item_id", "label", "subset")
            .with_columns(
                pl.Series("accuracy@5", top5).fill_nan(None),
                value=pl.Series(main).fill_nan(None),
                predicted=pl.Series([split.names[code] for code in predicted]),
            )
        )
        counts = {
            "queries": int(split.scored.sum()),
            "gallery": len(split.train),
            "labels": len(learned),
        }
        notes = [*split.notes, f"the penalty is {penalty:g}"]
        return Evaluation(
            means.values,
            queries,
            self.describe(),
            notes,
            means.intervals,
            counts,
            means.unrounded,
        )


def _fit_with_best_penalty(
    vectors: Float32Array, codes: Int64Array, progress: Progress | None
) -> tuple[float, Regression]:
    """Return the penalty with most correct held-out items, and the model fitted with it."""
    held = _held_out(codes)
    best, most_correct = PENALTIES[0], -1
    for step, penalty in enumerate(PENALTIES):
        if not held.any():
            break
        model = fit(vectors[~held], codes[~held], int(codes.max()) + 1, penalty)
        correct = int((model.scores(vectors[held]).argmax(axis=1) == codes[held]).sum())
        if correct > most_correct:
            best, most_correct = penalty, correct
        if progress:
            progress(step + 1, len(PENALTIES) + 1)
    model = fit(vectors, codes, int(codes.max()) + 1, best)
    if progress:
        progress(len(PENALTIES) + 1, len(PENALTIES) + 1)
    return best, model


def _held_out(codes: Int64Array) -> BoolArray:
    """Select every fifth item of each class, in the items' order: (n,)."""
    order = np.argsort(codes, kind="stable")
    first = np.searchsorted(codes[order], codes[order])
    held = np.zeros(len(codes), bool)
    held[order] = (np.arange(len(codes)) - first) % HELD_OUT == HELD_OUT - 1
    return held
