"""What a model learns from: items of one data set, read as they are needed, and held-out parts.

Who is held out hangs on names and the seed alone, never on the order of rows, so that an item
that comes or goes moves no other one between the parts.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from likewise.errors import DataError, bounded, hint

if TYPE_CHECKING:
    from likewise.imaging.image_reader import ImageReader

COLUMNS = ("item_id", "content", "row", "box", "label", "role", "split")
"""What is known of an item; ``row`` is its image's position in the images table."""


@dataclass(frozen=True)
class Material:
    """Items to learn from, in the order of their ids.

    Attributes:
        name: the data set.
        items: a row an item, with ``COLUMNS``.
        everything: those of the whole data set, whatever part this is.
        images: the table of their images.
        digests: the columns that were read, and what tells their content apart.
        vectors: of a teacher, where there is one: the table of its vectors.
    """

    name: str
    items: pl.DataFrame
    everything: pl.DataFrame
    images: Path
    digests: dict[str, str] = field(default_factory=dict)
    vectors: Path | None = None

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.items)

    @property
    def ids(self) -> list[str]:
        """The items' ids."""
        return self.items["item_id"].to_list()

    def reader(self) -> "ImageReader":
        """What reads the pictures of the items, in their order."""
        from likewise.imaging.image_reader import ImageReader

        boxes = self.items["box"].to_list()
        cut = boxes if any(box is not None for box in boxes) else None
        return ImageReader(self.images, self.items["row"].to_list(), cut)

    def part(self, split: str | None) -> "Material":
        """The items of ``split``; all of them for None.

        Raises:
            DataError: there is none; it names the splits that there are.
        """
        if split is None:
            return self
        found = self.where(pl.col("split") == split)
        if not len(found):
            there = self.items["split"].drop_nulls().unique()
            raise DataError(
                f"{self.name} has no item in split {split!r}; {hint(split, there)}; "
                "set split, or split: null for all items"
            )
        return found

    def where(self, condition: pl.Expr) -> "Material":
        """The items for which ``condition`` holds."""
        return replace(self, items=self.items.filter(condition))

    def whole(self) -> "Material":
        """All items of the data set."""
        return replace(self, items=self.everything)

    def of(self, items: pl.DataFrame) -> "Material":
        """The same with other items, or in another order."""
        return replace(self, items=items)

    def labelled(self) -> "Material":
        """The items that have a label.

        Raises:
            DataError: none has.
        """
        found = self.where(pl.col("label").is_not_null())
        if not len(found):
            raise DataError(
                f"no item of {self.name} that is to be learned from has a label; "
                "choose another split or data set, or a recipe that needs no label"
            )
        return found

    def codes(self) -> tuple[list[int], list[str]]:
        """Every item's class as a number, and the classes' names, sorted."""
        names = self.items["label"].unique().sort().to_list()
        number = {name: code for code, name in enumerate(names)}
        return [number[label] for label in self.items["label"]], names

    def classes(self) -> tuple[list[int], list[str]]:
        """As ``codes``, of what is to be told apart.

        Raises:
            DataError: there is one class.
        """
        codes, names = self.codes()
        if len(names) < 2:
            raise DataError(
                f"{self.name} has one class to learn from, {names[0]!r}: nothing to tell apart"
            )
        return codes, names

    def held_out(
        self, column: str, share: float, seed: int, least: int = 2
    ) -> tuple["Material", "Material"]:
        """The items to learn from, and those whose ``column`` is among ``share`` of its values.

        All items of one value go together: no class, or no pair, is on both sides. A value is
        held out where its hash with ``seed`` is among the lowest.

        Raises:
            DataError: some, but fewer than ``least`` values would be held out, or none left to
                learn from. One class alone is always ranked right, whatever the weights.
        """
        values = [str(value) for value in self.items[column].unique().to_list()]
        order = sorted(values, key=lambda value: _hash(value, seed))
        out = order[: round(share * len(order))]
        if len(out) == len(order):
            raise DataError(
                f"validation: {share} holds out all of {self.name} ({len(out):,} of "
                f"{len(order):,}, by {column}), and leaves nothing to learn from; lower it"
            )
        if 0 < len(out) < least:
            enough = math.ceil(100 * least / len(order)) / 100
            raise DataError(
                f"validation: {share} holds out {len(out)} of {len(order):,}, by {column}, of "
                f"{self.name}: by that alone, all weights are as good; set validation: "
                f"{enough:g}, or 0 to keep the last ones"
            )
        return (
            self.where(~pl.col(column).is_in(out)),
            self.where(pl.col(column).is_in(out)),
        )

    def held_out_of_each(self, share: float, seed: int) -> tuple["Material", "Material"]:
        """The items to learn from, and ``share`` of the contents of each class.

        A class always keeps one to learn from, and items of the same content stay together.
        """
        out = []
        for rows in self.items.partition_by("label", maintain_order=True):
            contents = sorted(rows["content"].unique(), key=lambda value: _hash(value, seed))
            out += contents[: min(round(share * len(contents)), len(contents) - 1)]
        held = pl.col("content").is_in(out)
        return self.where(~held), self.where(held)

    def with_least(self, least: int) -> "Material":
        """The items of classes that have at least so many.

        Raises:
            DataError: no class has.
        """
        counts = self.items.group_by("label").len()
        many = counts.filter(pl.col("len") >= least)["label"]
        if not len(many):
            most = max(counts["len"].to_list())
            raise DataError(
                f"no class of {self.name} has {least} items to learn from, the largest has "
                f"{most}; lower min_images_per_class"
            )
        return self.where(pl.col("label").is_in(many.implode()))

    def need_pairs(self, least: int = 2) -> None:
        """Refuse classes of fewer than ``least`` items.

        Raises:
            DataError: it names some of them, and how to leave them out.
        """
        few = self.items.group_by("label").len().filter(pl.col("len") < least)
        if len(few):
            named = few["label"].sort()
            raise DataError(
                f"{len(few):,} classes of {self.name} have fewer than {least} items to learn "
                f"from: {bounded(named, len(named))}; a pair needs two. Set "
                "min_images_per_class: 2 to leave such classes out"
            )


@dataclass(frozen=True)
class Study:
    """What a model that learns is given.

    Attributes:
        start: the folder of the model that it begins with.
        start_name: what that model is called.
        material: the items that it learns from.
        checkpoints: a folder that outlives a killed process; a training that begins elsewhere,
            or goes by other options or data, has another.
        report: where the numbers and curves go.
    """

    start: Path
    start_name: str
    material: Material
    checkpoints: Path
    report: Path


def named(items: Sequence[str], rows: Sequence[int]) -> str:
    """The ids of some rows, for a message."""
    return bounded([items[row] for row in rows], len(rows))


def _hash(value: str, seed: int) -> str:
    return hashlib.sha256(f"held out {seed}: {value}".encode()).hexdigest()
