"""The arrays of the ImageNet subset program: 224 x 224 pixels, labels and ids in one .npz."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Export, Fault, Selection, omitted
from likewise.exports.export_files import put_csv
from likewise.exports.pixel_rows import pixels
from likewise.formats.array_types import Pixels
from likewise.formats.array_writer import Npz
from likewise.imaging.decode import converted, crop
from likewise.imaging.image_reader import Box
from likewise.imaging.transforms.crop import Crop
from likewise.imaging.transforms.resize import Resize

SIDE = 224
_RESIZE, _CROP = Resize(side=256), Crop(side=SIDE)

HEADER = (
    "subset_label",
    "original_id",
    "WNID",
    "human_label",
    "original_label",
    "name",
    "description",
    "num_train_images",
)
"""The four columns that the program's page promises, and then those that it writes."""


class ImagenetNpz(Export):
    """``{data set}_cls.npz``: X_train, y_train, train_id, X_val, y_val, val_id.

    X is uint8 (rows, 224, 224, 3), RGB: the shorter edge resized to 256 (bilinear, with
    antialiasing) and the middle cut out, pixel for pixel as torchvision does it, of what
    Pillow's ``convert("RGB")`` makes of the file. y and ids are int32 (rows,). Rows are in the
    data set's canonical order; what cannot be decoded has no row and is reported. Beside it
    lies ``{data set}_cls_metadata.csv``, a row a class.
    """

    train: str = "train"
    """The split that becomes X_train; items without a split belong to it too."""

    val: str = "val"
    """The split that becomes X_val."""

    classes: tuple[str, ...] = ()
    """The labels in the order of their numbers; by default the subset's, or that of names."""

    boxes: Literal["cut", "ignore"] = "cut"
    """Of an item that is a box: the box, or the whole image."""

    @property
    def changes(self) -> bool:
        """See ``Export.changes``."""
        return True

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        numbers = self._numbers(chosen.items)
        numbered = chosen.items.with_row_index(":row").with_columns(
            pl.col("label")
            .replace_strict(numbers, default=None, return_dtype=pl.Int32)
            .alias(":y"),
            _ids(chosen.items).alias(":id"),
        )
        wanted = numbered.drop_nulls(":y")
        train = wanted.filter(pl.col("split").fill_null(self.train) == self.train)
        val = wanted.filter(pl.col("split") == self.val)
        if train.is_empty() and val.is_empty():
            raise DataError(
                f"no item of {chosen.dataset} has a label and the split {self.train!r} or "
                f"{self.val!r}; say which splits by the options train and val"
            )
        faults = self._without_place(numbered)
        with Npz.create(folder / f"{chosen.dataset}_cls.npz") as out:
            for part, rows in (("train", train), ("val", val)):
                faults += self._part(chosen, out, part, rows)
        metadata = _metadata(wanted, train, numbers)
        put_csv(folder / f"{chosen.dataset}_cls_metadata.csv", HEADER, metadata)
        return faults

    def _without_place(self, items: pl.DataFrame) -> list[Fault]:
        """The ``items`` that are in neither part, and why."""
        bare = pl.col("label").is_null()
        other = ~pl.col("split").fill_null(self.train).is_in([self.train, self.val])
        known = items.filter(pl.col(":y").is_not_null() & other)
        return [
            *omitted(items.filter(bare), "no-label", "it has no label, which every row has"),
            *omitted(
                items.filter(~bare & pl.col(":y").is_null()),
                "other-class",
                "its label is none of the classes that are asked for",
            ),
            *omitted(
                known, "other-split", f"its split is neither {self.train!r} nor {self.val!r}"
            ),
        ]

    def _numbers(self, items: pl.DataFrame) -> dict[str, int]:
        """The number of every class."""
        there = items.drop_nulls("label")
        if not self.classes:
            if "class_index" in items.columns:  # of ImageNet: the line of the subset's list
                first = there.drop_nulls("class_index").unique("label", maintain_order=True)
                return dict(first.select("label", "class_index").iter_rows())
            return {
                label: number for number, label in enumerate(there["label"].unique().sort())
            }
        absent = sorted(set(self.classes) - set(there["label"]))
        if absent:
            raise DataError(f"no item has the label {bounded(absent, len(absent))}")
        # As in the program, a label that stands twice has the number of its last line.
        return {label: number for number, label in enumerate(self.classes)}

    def _part(
        self, chosen: Selection, out: Npz, name: str, wanted: pl.DataFrame
    ) -> list[Fault]:
        kept: list[int] = []
        faults: list[Fault] = []
        cut = self.boxes == "cut"
        with out.member(f"X_{name}", (SIDE, SIDE, 3), np.uint8) as member:
            rows = wanted[":row"].to_list()
            for part in pixels(chosen, rows, _pixels, (SIDE, SIDE, 3), cut=cut):
                member.append(part.pixels)
                kept += part.rows
                faults += part.faults
        facts = pl.DataFrame({":row": pl.Series(kept, dtype=pl.UInt32)}).join(
            wanted, on=":row", maintain_order="left"
        )
        for column, array in ((":y", f"y_{name}"), (":id", f"{name}_id")):
            with out.member(array, (), np.int32) as member:
                member.append(facts[column].to_numpy())
        return faults


def _pixels(data: bytes, box: Box | None, square: Pixels) -> None:
    picture = converted(data)
    if box is not None:
        picture = crop(picture, box)
    square[:] = np.asarray(_CROP(_RESIZE(picture)))


def _ids(items: pl.DataFrame) -> pl.Expr:
    """The lines of ImageNet's own lists; elsewhere the items of a split are counted from 1."""
    counted = pl.int_range(1, pl.len() + 1).over("split")
    known = "list_id" in items.columns
    return (pl.col("list_id") if known else counted).cast(pl.Int32)


def _metadata(
    wanted: pl.DataFrame, train: pl.DataFrame, numbers: dict[str, int]
) -> Iterable[tuple[object, ...]]:
    """A row a class, in the order of their numbers."""
    first = wanted.unique("label", keep="first", maintain_order=True).sort(":y")
    counts = dict(train.group_by("label").len().iter_rows())
    for row in first.iter_rows(named=True):
        original, label = row.get("devkit_id"), row["label"]
        here = counts.get(label, 0)
        yield (
            numbers[label],
            original,
            label,
            row["text"] or label,
            original,
            row.get("words") or row["text"],
            row.get("gloss"),
            row.get("train_images") or here,
        )
