"""Training data: items of data sets, read lazily, and held-out parts of them.

The choice of held-out items depends only on names and the seed, not on the order of rows.
Adding or removing an item therefore moves no other item between the parts.
"""

import hashlib
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from likewise.imaging.image_reader import ImageReader, ReadersInTurn

COLUMNS = ("item_id", "content", "row", "box", "label", "role", "split")
"""The columns of ``TrainingData.items``; ``row`` is the image's row in the images table.

Data of recipes that learn from texts also have the column ``text``.
"""

PART = "part"
"""The column with the number of an item's data set, if there are several."""


@dataclass(frozen=True)
class TrainingData:
    """Items to learn from, sorted by their ids.

    Attributes:
        name: the data set, or several with commas.
        items: one row per item, with ``COLUMNS``; and ``PART`` if there are several data sets.
        all_items: the items of the whole data set; ``items`` may be a part of them.
        images: the images table, or those of several data sets.
        digests: the columns that were read, and the digests of their content.
        vectors: the table of a teacher's vectors, or several; None without a teacher.
    """

    name: str
    items: pl.DataFrame
    all_items: pl.DataFrame
    images: Path | tuple[Path, ...]
    digests: dict[str, str] = field(default_factory=dict)
    vectors: Path | tuple[Path, ...] | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def ids(self) -> list[str]:
        """The ids of the items."""
        return self.items["item_id"].to_list()

    @property
    def tables_of_images(self) -> tuple[Path, ...]:
        """The images table of each data set."""
        return self.images if isinstance(self.images, tuple) else (self.images,)

    def by_dataset(self) -> "list[TrainingData]":
        """Return the items of each data set, in their order."""
        if PART not in self.items.columns:
            return [self]
        vectors = self.vectors if isinstance(self.vectors, tuple) else None
        return [
            replace(
                self,
                name=name,
                items=self.items.filter(pl.col(PART) == number).drop(PART),
                images=self.tables_of_images[number],
                vectors=vectors[number] if vectors else None,
            )
            for number, name in enumerate(self.name.split(", "))
        ]

    def reader(self) -> "ImageReader | ReadersInTurn":
        """Return a reader of the items' images, in their order."""
        from likewise.imaging.image_reader import ImageReader, ReadersInTurn

        if PART in self.items.columns:
            readers = [part.reader() for part in self.by_dataset()]
            number = pl.int_range(pl.len()).over(PART)
            places = self.items.select(PART, number.alias("number")).rows()
            return ReadersInTurn(cast("list[ImageReader]", readers), places)
        boxes = self.items["box"].to_list()
        crops = boxes if any(box is not None for box in boxes) else None
        [images] = self.tables_of_images
        return ImageReader(images, self.items["row"].to_list(), crops)

    def in_split(self, split: str | None) -> "TrainingData":
        """Keep the items of ``split``; None keeps all items.

        Raises:
            DataError: a data set has no item in the split; the message lists its splits.
        """
        if split is None:
            return self
        for part in self.by_dataset():
            splits = part.items["split"].drop_nulls().unique()
            if split not in splits:
                raise DataError(
                    f"{part.name} has no item in split {split!r}; {hint(split, splits)}; "
                    "set split, or split: null for all items"
                )
        return self.filter(pl.col("split") == split)

    def filter(self, condition: pl.Expr) -> "TrainingData":
        """Keep the items for which ``condition`` is true."""
        return replace(self, items=self.items.filter(condition))

    def whole_dataset(self) -> "TrainingData":
        """Take all items of the data set."""
        return replace(self, items=self.all_items)

    def with_items(self, items: pl.DataFrame) -> "TrainingData":
        """Replace the items."""
        return replace(self, items=items)

    def labelled(self) -> "TrainingData":
        """Keep the items that have a label.

        Raises:
            DataError: no item has a label.
        """
        kept = self.filter(pl.col("label").is_not_null())
        if not len(kept):
            raise DataError(
                f"no training item of {self.name} has a label; "
                "choose another split or data set, or a recipe that needs no labels"
            )
        return kept

    def class_codes(self) -> tuple[list[int], list[str]]:
        """Return each item's class as a number, and the class names in sorted order."""
        names = self.items["label"].unique().sort().to_list()
        number = {name: code for code, name in enumerate(names)}
        return [number[label] for label in self.items["label"]], names

    def checked_class_codes(self) -> tuple[list[int], list[str]]:
        """Return ``class_codes`` of at least two classes.

        Raises:
            DataError: all items have the same class.
        """
        codes, names = self.class_codes()
        if len(names) < 2:
            raise DataError(
                f"{self.name} has only one class with training items, {names[0]!r}; at least "
                "two are needed"
            )
        return codes, names

    def hold_out(
        self, column: str, share: float, seed: int, least: int = 2
    ) -> tuple["TrainingData", "TrainingData"]:
        """Hold out a share of the values of a column.

        All items of one value stay together, so that no class, or pair, is in both parts. The
        values with the lowest hashes (with ``seed``) are held out.

        Args:
            column: the column.
            share: the share of its distinct values, 0 to 1.
            seed: the seed of the hashes.
            least: the minimum number of held-out values: a single class is always ranked
                right, whatever the weights.

        Returns:
            The items to learn from, and the held-out items.

        Raises:
            DataError: between 1 and ``least`` - 1 values would be held out, or all of them.
        """
        values = [str(value) for value in self.items[column].unique().to_list()]
        order = sorted(values, key=lambda value: _hash(value, seed))
        out = order[: round(share * len(order))]
        if len(out) == len(order):
            raise DataError(
                f"validation: {share} holds out all {counted(len(order), 'value')} of "
                f"{column} of {self.name} and leaves nothing to learn from; set a smaller "
                "share"
            )
        if 0 < len(out) < least:
            smallest = math.ceil(100 * least / len(order)) / 100
            raise DataError(
                f"validation: {share} holds out only {len(out)} of "
                f"{counted(len(order), 'value')} of {column} of {self.name}; choosing a "
                f"checkpoint needs at least {least}. Set validation: {smallest:g} or more, or "
                "0 to keep the last weights"
            )
        return (
            self.filter(~pl.col(column).is_in(out)),
            self.filter(pl.col(column).is_in(out)),
        )

    def hold_out_per_class(
        self, share: float, seed: int
    ) -> tuple["TrainingData", "TrainingData"]:
        """Hold out a share of the contents of each class.

        At least one content of each class is kept; items of the same content stay together.

        Returns:
            The items to learn from, and the held-out items.
        """
        out = []
        for rows in self.items.partition_by("label", maintain_order=True):
            contents = sorted(rows["content"].unique(), key=lambda value: _hash(value, seed))
            out += contents[: min(round(share * len(contents)), len(contents) - 1)]
        held_out = pl.col("content").is_in(out)
        return self.filter(~held_out), self.filter(held_out)

    def with_min_images_per_class(self, least: int) -> "TrainingData":
        """Keep the items of classes that have at least ``least`` items.

        Raises:
            DataError: no class has that many items.
        """
        counts = self.items.group_by("label").len()
        kept = counts.filter(pl.col("len") >= least)["label"]
        if not len(kept):
            most = max(counts["len"].to_list())
            raise DataError(
                f"no class of {self.name} has {counted(least, 'training item')}, the largest "
                f"has {most}; lower min_images_per_class"
            )
        return self.filter(pl.col("label").is_in(kept.implode()))

    def require_pairs(self, least: int = 2) -> None:
        """Check that each class has at least ``least`` items.

        Raises:
            DataError: a class has fewer items; the message names such classes and the option
            that leaves them out.
        """
        small = self.items.group_by("label").len().filter(pl.col("len") < least)
        if len(small):
            labels = small["label"].sort()
            raise DataError(
                f"{counted(len(small), f'class of {self.name}', 'has', 'have')} fewer than "
                f"{counted(least, 'training item')}: {bounded(labels, len(labels))}; a pair "
                "needs two. Set min_images_per_class: 2 to leave such classes out"
            )


@dataclass(frozen=True)
class TrainingContext:
    """The inputs and folders of one training.

    Attributes:
        init: the folder of the initial model.
        init_name: the name of the initial model.
        data: the items to learn from.
        checkpoints: a folder that survives a killed process; a training with another initial
            model, other options or other data has its own.
        report: the folder for metrics and curves.
        workspace: the checkout that seals the checkpoints; by default that around them.
    """

    init: Path
    init_name: str
    data: TrainingData
    checkpoints: Path
    report: Path
    workspace: Workspace | None = None


def _hash(value: str, seed: int) -> str:
    return hashlib.sha256(f"held out {seed}: {value}".encode()).hexdigest()
