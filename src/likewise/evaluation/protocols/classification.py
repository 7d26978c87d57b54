"""Common parts of protocols that classify the test items."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.averages import Averages
from likewise.evaluation.protocols.query_sets import build_task
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.formats.array_types import BoolArray, Float32Array, Float64Array, Int64Array

TRAIN_TEST = ProtocolSpec(
    queries={"split": ("test", "val")},
    gallery={"split": ("train",)},
    query_in_gallery=False,
    normalise=True,
    metric_title="accuracy",
    subset_title="accuracy {}",
)
"""Test items are classified by what is learned from training items."""

COLUMNS = TRAIN_TEST.columns()


@dataclass(frozen=True)
class ClassificationTask:
    """Training and test items, with their classes as numbers.

    Attributes:
        train: (n,) rows of the training items; all have a label.
        test: (q,) rows of the test items.
        codes: (rows,) class number of every item; -1: no label.
        names: label of every class number.
        scored: (q,) whether the class of a test item occurs in the training items.
        notes: remarks for the reader of a report.
    """

    train: Int64Array
    test: Int64Array
    codes: Int64Array
    names: list[str]
    scored: BoolArray
    notes: list[str]


def classification_task(rows: pl.DataFrame) -> ClassificationTask:
    """Split the items into training and test items.

    Raises:
        DataError: a split is missing, or no test item has a label of a training item.
    """
    task = build_task(TRAIN_TEST, rows)
    names = rows["label"].drop_nulls().unique().sort().to_list()
    codes = rows["label"].replace_strict(
        dict(zip(names, range(len(names)), strict=True)), default=-1, return_dtype=pl.Int64
    )
    numbers = codes.to_numpy()
    train = task.gallery[numbers[task.gallery] >= 0]
    scored = np.isin(numbers[task.queries], numbers[train])
    if not rows["split"].n_unique() - rows["split"].has_nulls():
        raise DataError("there are no training items: no item has the split train")
    if not scored.any():
        raise DataError(
            "nothing can be scored: no test item has a label that occurs in the training items"
        )
    unscored = int((~scored).sum())
    notes = [*task.notes]
    if unscored:
        notes.append(f"test items without a label that was trained, not scored: {unscored:,}")
    return ClassificationTask(train, task.queries, numbers, names, scored, notes)


def accuracies(
    rows: pl.DataFrame, task: ClassificationTask, ranks: Int64Array
) -> tuple[Averages, Float64Array]:
    """Compute top-1 and top-5 accuracy, and top-1 accuracy averaged over classes.

    Args:
        rows: all items.
        task: their split and classes.
        ranks: (q,) rank of each test item's own class among the predicted classes, from 1.

    Returns:
        The means by name, and (q,) top-1 accuracy: 1, 0, or NaN if not scored.
    """
    means = Averages(TRAIN_TEST, rows[task.test], task.codes[task.test])
    top1, top5 = (np.where(task.scored, ranks <= k, np.nan) for k in (1, 5))
    means.add(top1, "accuracy", "accuracy {}")
    means.add(top5, "accuracy@5")
    means.add_by_class(top1, "accuracy by class")
    return means, top1


def class_ranks(scores: Float32Array, learned: Int64Array, own: Int64Array) -> Int64Array:
    """Rank each item's own class by its scores; ties by the number of the class.

    Args:
        scores: (q, c) scores of the classes.
        learned: (c,) class numbers of the columns, ascending.
        own: (q,) class number of every item.

    Returns:
        (q,) ranks from 1; the maximum of int64 if the class is not one of ``learned``.
    """
    column = np.minimum(np.searchsorted(learned, own), len(learned) - 1)
    own_score = np.take_along_axis(scores, column[:, None], 1)
    ahead = (scores > own_score).sum(axis=1)
    ties = ((scores == own_score) & (np.arange(len(learned)) < column[:, None])).sum(axis=1)
    ranks: Int64Array = np.where(
        learned[column] == own, 1 + ahead + ties, np.iinfo(np.int64).max
    )
    return ranks
