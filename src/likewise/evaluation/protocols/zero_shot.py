"""Zero-shot classification: items are compared with the names of the classes."""

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.class_names import class_names, name_notes
from likewise.evaluation.protocols.classification import (
    ClassificationTask,
    accuracies,
    class_ranks,
)
from likewise.evaluation.protocols.exclusions import codes
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.query_sets import (
    select_rows,
    selection_notes,
)
from likewise.evaluation.protocols.text_protocol import TEST_ITEMS, TextProtocol
from likewise.evaluation.ranking import Progress, blocks
from likewise.formats.array_types import AnyArray, Float32Array


class ZeroShot(TextProtocol):
    """Accuracy of the class whose name has the highest cosine to an item.

    Classes are all labels of the data set. The vector of a class is the normalised mean of the
    normalised vectors of its sentences, one per template. Ties are broken by class name.

    Attributes:
        names: label -> name of the class; or ``text``, the text that all items of a label
            share; or ``label``, the label with ``_`` as a space. By default the text if there
            is one, else the label.

    Source: Radford et al., Learning Transferable Visual Models From Natural Language
    Supervision, ICML 2021 (arXiv:2103.00020), 3.1; as open_clip's build_zero_shot_classifier.
    """

    name: ClassVar[str] = "zero-shot"
    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "split", "text")

    names: dict[str, str] | Literal["label", "text"] | None = None

    @property
    def formula(self) -> str:
        """The predicted class."""
        return "share of items whose class c has the largest cosine(item, mean over templates)"

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        spec = TEST_ITEMS.describe()
        names = "the text of the label, else the label with '_' as ' '"
        if self.names is not None:
            names = self.names if isinstance(self.names, str) else "as the run lists them"
        return {
            "queries": spec["queries"],
            "gallery": "one vector per label of the data set",
            "names": names,
            "templates": self._templates_text(),
            **{key: spec[key] for key in ("score", "normalise", "direction")},
            "ties": "the first label by name",
            "metric": "accuracy",
            "denominator": "items with a label",
            **{key: spec[key] for key in ("average", "percent", "decimals")},
        }

    def texts(self, rows: pl.DataFrame) -> list[str]:
        """Return the names of the classes, in the order of their labels."""
        self.check_items(rows)
        return class_names(_labels(rows), rows, self.names)

    def evaluate_texts(
        self,
        vectors: AnyArray,
        text_vectors: Float32Array,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Classify the items by the nearest name."""
        labels, names = _labels(rows), self.texts(rows)
        items = l2_normalised(*as_vectors(vectors, rows["item_id"]))
        classes = l2_normalised(*as_vectors(text_vectors, names))
        task = _task(rows, labels)
        ranks, winners = np.empty((2, len(task.test)), np.int64)
        for part in blocks(len(task.test), len(labels) * 8):
            scores = items[task.test[part]] @ classes.T
            winners[part] = scores.argmax(axis=1)
            own = task.codes[task.test[part]]
            ranks[part] = class_ranks(scores, np.arange(len(labels)), own)
            if progress:
                progress(min(part.stop, len(task.test)), len(task.test))
        means, main = accuracies(rows, task, ranks)
        queries = (
            rows[task.test]
            .select("item_id", "label", "subset")
            .with_columns(
                pl.Series("accuracy@5", np.where(task.scored, ranks <= 5, np.nan)).fill_nan(
                    None
                ),
                value=pl.Series(main).fill_nan(None),
                predicted=pl.Series([labels[code] for code in winners]),
            )
        )
        counts = {
            "queries": int(task.scored.sum()),
            "gallery": len(labels),
            "labels": len(labels),
        }
        notes = [*task.notes, *name_notes(labels, names, rows)]
        return Evaluation(
            means.values,
            queries,
            self.describe(),
            notes,
            means.intervals,
            counts,
            means.unrounded,
        )


def _labels(rows: pl.DataFrame) -> list[str]:
    """Return the labels of the items, sorted.

    Raises:
        DataError: no item has a label.
    """
    labels = rows["label"].drop_nulls().unique().sort().to_list()
    if not labels:
        raise DataError("nothing can be scored: no item has a label")
    return labels


def _task(rows: pl.DataFrame, labels: list[str]) -> ClassificationTask:
    """Return the items to classify.

    Raises:
        DataError: none of them has a label, or no item has the split.
    """
    test, classes = select_rows(rows, TEST_ITEMS.queries), codes(rows, ["label"])
    # Ranks of labels begin at 1.
    classes = np.where(classes >= 0, classes - 1, -1)
    scored = classes[test] >= 0
    if not scored.any():
        raise DataError("nothing can be scored: no item of the split has a label")
    notes = [n for n in selection_notes(rows, TEST_ITEMS) if n.startswith("queries")]
    if not scored.all():
        notes.append(f"items without a label, not scored: {int((~scored).sum()):,}")
    return ClassificationTask(np.empty(0, np.int64), test, classes, labels, scored, notes)
