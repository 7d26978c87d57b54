"""Arrays of the ImageNet subset program: 224 x 224 pixels, labels and ids in one .npz."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Export, ExportFault, Selection, omitted_faults
from likewise.exports.export_files import put_csv
from likewise.exports.pixel_batches import pixel_batches
from likewise.formats.array_types import Pixels
from likewise.formats.array_writer import NpzWriter
from likewise.imaging.decode import crop, decode_like_pillow
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
"""The four columns in the program's documentation, then those that it writes."""


class ImageNetNpzExport(Export):
    """``{data set}_cls.npz``: X_train, y_train, train_id, X_val, y_val, val_id.

    X is uint8 (rows, 224, 224, 3) in RGB: the image as Pillow's ``convert("RGB")`` returns it,
    with the shorter edge resized to 256 (bilinear with antialiasing) and the centre cropped,
    identical to torchvision. y and ids are int32 (rows,). Rows are in canonical order; images
    that cannot be decoded are omitted and reported. ``{data set}_cls_metadata.csv`` has one row
    per class.
    """

    train: str = "train"
    """Split of X_train; items without split are included."""

    val: str = "val"
    """Split of X_val."""

    classes: tuple[str, ...] = ()
    """Labels in the order of their numbers; by default the subset's order, or sorted."""

    boxes: Literal["cut", "ignore"] = "cut"
    """For items that are boxes: cut out the box, or use the whole image."""

    @property
    def changes_images(self) -> bool:
        """See ``Export.changes_images``."""
        return True

    def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``Export.write``."""
        numbers = self._numbers(selection.items)
        numbered = selection.items.with_row_index(":row").with_columns(
            pl.col("label")
            .replace_strict(numbers, default=None, return_dtype=pl.Int32)
            .alias(":y"),
            _item_ids(selection.items).alias(":id"),
        )
        labelled = numbered.drop_nulls(":y")
        train = labelled.filter(pl.col("split").fill_null(self.train) == self.train)
        val = labelled.filter(pl.col("split") == self.val)
        if train.is_empty() and val.is_empty():
            raise DataError(
                f"no item of {selection.dataset} has a label and the split {self.train!r} or "
                f"{self.val!r}; set the splits with the options train and val"
            )
        faults = self._omitted(numbered)
        with NpzWriter.create(folder / f"{selection.dataset}_cls.npz") as out:
            for part, rows in (("train", train), ("val", val)):
                faults += self._write_part(selection, out, part, rows)
        metadata = _class_rows(labelled, train, numbers)
        put_csv(folder / f"{selection.dataset}_cls_metadata.csv", HEADER, metadata)
        return faults

    def _omitted(self, items: pl.DataFrame) -> list[ExportFault]:
        """Return faults for the ``items`` that are in neither array."""
        bare = pl.col("label").is_null()
        other = ~pl.col("split").fill_null(self.train).is_in([self.train, self.val])
        known = items.filter(pl.col(":y").is_not_null() & other)
        return [
            *omitted_faults(
                items.filter(bare), "no-label", "it has no label, but every row needs one"
            ),
            *omitted_faults(
                items.filter(~bare & pl.col(":y").is_null()),
                "other-class",
                "its label is not one of the requested classes",
            ),
            *omitted_faults(
                known, "other-split", f"its split is neither {self.train!r} nor {self.val!r}"
            ),
        ]

    def _numbers(self, items: pl.DataFrame) -> dict[str, int]:
        """Return label -> class number."""
        labelled = items.drop_nulls("label")
        if not self.classes:
            if "class_index" in items.columns:  # ImageNet: position in the list of the subset
                first = labelled.drop_nulls("class_index").unique("label", maintain_order=True)
                return dict(first.select("label", "class_index").iter_rows())
            return {
                label: number for number, label in enumerate(labelled["label"].unique().sort())
            }
        absent = sorted(set(self.classes) - set(labelled["label"]))
        if absent:
            raise DataError(f"no item has the label {bounded(absent, len(absent))}")
        # As in the program, a repeated label gets the number of its last position.
        return {label: number for number, label in enumerate(self.classes)}

    def _write_part(
        self, selection: Selection, out: NpzWriter, name: str, items: pl.DataFrame
    ) -> list[ExportFault]:
        written: list[int] = []
        faults: list[ExportFault] = []
        cut = self.boxes == "cut"
        with out.member(f"X_{name}", (SIDE, SIDE, 3), np.uint8) as member:
            rows = items[":row"].to_list()
            for part in pixel_batches(selection, rows, _fill_square, (SIDE, SIDE, 3), cut=cut):
                member.append(part.pixels)
                written += part.rows
                faults += part.faults
        facts = pl.DataFrame({":row": pl.Series(written, dtype=pl.UInt32)}).join(
            items, on=":row", maintain_order="left"
        )
        for column, array in ((":y", f"y_{name}"), (":id", f"{name}_id")):
            with out.member(array, (), np.int32) as member:
                member.append(facts[column].to_numpy())
        return faults


def _fill_square(data: bytes, box: Box | None, square: Pixels) -> None:
    picture = decode_like_pillow(data)
    if box is not None:
        picture = crop(picture, box)
    square[:] = np.asarray(_CROP(_RESIZE(picture)))


def _item_ids(items: pl.DataFrame) -> pl.Expr:
    """Return line numbers of ImageNet's lists; otherwise numbers from 1 in each split."""
    counted = pl.int_range(1, pl.len() + 1).over("split")
    known = "list_id" in items.columns
    return (pl.col("list_id") if known else counted).cast(pl.Int32)


def _class_rows(
    items: pl.DataFrame, train: pl.DataFrame, numbers: dict[str, int]
) -> Iterable[tuple[object, ...]]:
    """Yield one row per class, in the order of their numbers."""
    first = items.unique("label", keep="first", maintain_order=True).sort(":y")
    counts = dict(train.group_by("label").len().iter_rows())
    for row in first.iter_rows(named=True):
        original, label = row.get("devkit_id"), row["label"]
        count = counts.get(label, 0)
        yield (
            numbers[label],
            original,
            label,
            row["text"] or label,
            original,
            row.get("words") or row["text"],
            row.get("gloss"),
            row.get("train_images") or count,
        )
