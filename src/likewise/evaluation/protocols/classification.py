"""What protocols that name a class for every test item have in common."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import Values
from likewise.evaluation.protocols.averages import Averages
from likewise.evaluation.protocols.query_sets import Flags, pose
from likewise.evaluation.protocols.spec import Switches
from likewise.evaluation.ranking import Ints

TRAINED_TESTED = Switches(
    queries={"split": ("test", "val")},
    gallery={"split": ("train",)},
    query_in_gallery=False,
    normalise=True,
    shown="accuracy",
    per_subset="accuracy {}",
)
"""Test items are to be named, training items are learned from."""

COLUMNS = TRAINED_TESTED.columns()


@dataclass(frozen=True)
class Classes:
    """The items by their part, and their classes by number.

    Attributes:
        trained: (n,) the rows that are learned from; all have a label.
        tested: (q,) the rows that are to be named.
        codes: (rows,) the class of every item; -1 for none.
        names: the class behind every number.
        scored: (q,) which of the tested have a class that was learned.
        notes: what a reader should know.
    """

    trained: Ints
    tested: Ints
    codes: Ints
    names: list[str]
    scored: Flags
    notes: list[str]


def classes_of(rows: pl.DataFrame) -> Classes:
    """Which items are learned from and which are to be named.

    Raises:
        DataError: no split of either kind, or no tested item's class is among the learned.
    """
    task = pose(TRAINED_TESTED, rows)
    names = rows["label"].drop_nulls().unique().sort().to_list()
    codes = rows["label"].replace_strict(
        dict(zip(names, range(len(names)), strict=True)), default=-1, return_dtype=pl.Int64
    )
    of = codes.to_numpy()
    trained = task.gallery[of[task.gallery] >= 0]
    scored = np.isin(of[task.queries], of[trained])
    if not rows["split"].n_unique() - rows["split"].has_nulls():
        raise DataError("nothing can be learned: the items have no split train")
    if not scored.any():
        raise DataError("nothing can be scored: no test item has a label that was trained")
    left = int((~scored).sum())
    told = (
        [f"test items without a label that was trained, not scored: {left:,}"] if left else []
    )
    return Classes(trained, task.queries, of, names, scored, [*task.notes, *told])


def accuracies(rows: pl.DataFrame, found: Classes, places: Ints) -> tuple[Averages, Values]:
    """The shares of tested items whose class is named first, or among the first five.

    Args:
        rows: all items.
        found: their classes.
        places: (q,) where each tested item's own class stands among those named, from 1.

    Returns:
        The means by name, and (q,) 1 for the first, 0 otherwise, NaN where it is not scored.
    """
    own = found.codes[found.tested]
    asked = rows[found.tested]
    means = Averages(TRAINED_TESTED, asked, own)
    first, five = (np.where(found.scored, places <= k, np.nan) for k in (1, 5))
    means.add(first, "accuracy", "accuracy {}")
    means.add(five, "accuracy@5")
    means.add_by_class(first, "accuracy by class")
    return means, first
