"""Matrices of letterboxed pixels and lists of the CompCars image-retrieval system."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from likewise.errors import DataError
from likewise.exports.base import Export, ExportFault, Selection, omitted_faults
from likewise.exports.compcars_pairs import CompCarsPairs
from likewise.exports.export_files import put_csv
from likewise.exports.pixel_batches import pixel_batches
from likewise.formats.array_types import Pixels
from likewise.formats.array_writer import open_npy
from likewise.imaging.decode import crop, decode, decode_reduced
from likewise.imaging.image_reader import Box
from likewise.imaging.transforms.letterbox import Letterbox

_VIEWPOINT_CODES = {"front": 1, "rear": 2, "front-side": 4, "rear-side": 5}
"""Viewpoints that the system uses -> CompCars' codes."""

_CAR_COLUMNS = ("Path", "FileName", "View Point", "Year", "CarMake", "Class", "Index")
_PLAIN_COLUMNS = ("Path", "Index", "Class")

_IMAGE_FOLDER = r"\A(?:.*/)?image/"


class ImageMatrixExport(Export):
    """Letterboxed images as uint8 (N, 3, side, side) in RGB, and lists of them.

    For CompCars: ``car_front`` and ``car_rear`` (web images by viewpoint: front, then
    front-side; rear, then rear-side) and ``tindexinfo`` (surveillance images). Each is a .npy,
    which ``numpy.load`` can memory-map, and a .csv whose Index is the row. For other data sets:
    ``indexinfo``, and ``tindexinfo`` for queries or the split test. ``test.npy`` and the
    training files of the system (see ``CompCarsPairs``) are added. Rows are in canonical order;
    images that cannot be decoded are omitted and reported.
    """

    side: int = Field(default=224, gt=0)
    """Edge length in pixels."""

    fill: Literal["gaussian", "black", "white"] = "gaussian"
    """Fill of the bars: the blurred image, or a colour."""

    whole: bool = False
    """Decode JPEGs at full size instead of the smallest size that suffices."""

    original_bugs: bool = False
    """Reproduce the pixels of the original program; see ``Letterbox``."""

    boxes: Literal["cut", "ignore"] = "ignore"
    """For items that are boxes: cut out the box, or use the whole image (as the original)."""

    unify: bool = False
    """Number classes from 0 in the order of their first rows, as in its later version."""

    training: bool = True
    """Write the files for training and validation."""

    ratio: int = Field(default=7, gt=1)
    """Of n images of a class, n // ratio are held out for validation."""
    negatives: int = Field(default=4, gt=0)
    """Number of images of other classes for each pair in ``train.npy``."""
    min_images: int = Field(default=58, ge=0)
    """Classes with fewer images are left out of the validation, and listed as cut."""
    skip: int = Field(default=1, gt=0)
    """Step between the partners of an image; 2 takes every second one."""
    seed: int = Field(default=7, ge=0)
    """Seed of the draws."""

    @property
    def changes_images(self) -> bool:
        """See ``Export.changes_images``."""
        return True

    def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``Export.write``."""
        items = _list_columns(selection.items)
        tables = _tables(items)
        classes = _classes(tables, unify=self.unify)
        faults = _omitted_items(selection.items, items, tables)
        written: dict[str, pl.DataFrame] = {}
        for name, rows in tables.items():
            rows_written, matrix_faults = self._write_matrix(
                selection, folder / f"{name}.npy", rows[":row"].to_list()
            )
            faults += matrix_faults
            written[name] = _with_index(rows, rows_written, classes)
            columns = _CAR_COLUMNS if name.startswith("car_") else _PLAIN_COLUMNS
            put_csv(folder / f"{name}.csv", columns, written[name].select(columns).iter_rows())
        queries = written.get("tindexinfo")
        if queries is not None:
            np.save(folder / "test.npy", queries.select("Index", "Class").to_numpy())
        if self.training:
            self._pairs().write(next(iter(written.values()))["Class"].to_list(), folder)
        return faults

    def _pairs(self) -> CompCarsPairs:
        return CompCarsPairs(
            ratio=self.ratio,
            negatives=self.negatives,
            min_images=self.min_images,
            skip=self.skip,
            seed=self.seed,
            original_bugs=self.original_bugs,
        )

    def _write_matrix(
        self, selection: Selection, path: Path, rows: list[int]
    ) -> tuple[list[int], list[ExportFault]]:
        """Write the pixels of the items ``rows``; return the written rows, and faults."""
        kept: list[int] = []
        faults: list[ExportFault] = []
        letterbox = Letterbox(side=self.side, fill=self.fill, original_bugs=self.original_bugs)
        full_size = self.whole or self.original_bugs or self.boxes == "cut"
        fill = partial(_fill_planes, letterbox=letterbox, full_size=full_size)
        with open_npy(path, (3, self.side, self.side), np.uint8) as matrix:
            cut = self.boxes == "cut"
            for part in pixel_batches(
                selection, rows, fill, (3, self.side, self.side), cut=cut
            ):
                matrix.append(part.pixels)
                kept += part.rows
                faults += part.faults
        return kept, faults


def _fill_planes(
    data: bytes, box: Box | None, planes: Pixels, *, letterbox: Letterbox, full_size: bool
) -> None:
    """Fill ``planes`` (3, side, side) with the letterboxed pixels of an image."""
    if not full_size:
        picture = decode_reduced(data, letterbox.size)
    else:
        # The original reads with OpenCV, which applies the EXIF orientation.
        picture = decode(data, upright=letterbox.original_bugs and box is None)
    if box is not None:
        picture = crop(picture, box)
    letterbox.draw(picture, planes.transpose(1, 2, 0))


def _list_columns(items: pl.DataFrame) -> pl.DataFrame:
    """Return the labelled items with the columns of the lists except Index and Class."""
    absent = [c for c in ("viewpoint", "year", "make_id") if c not in items.columns]
    return (
        items.with_row_index(":row")
        .with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
        .drop_nulls("label")
        .with_columns(
            Path=pl.col("image_id").str.replace(_IMAGE_FOLDER, ""),
            FileName=pl.col("image_id").str.extract(r"([^/]*?)(?:\.[^./]*)?\z"),
            Year="year",
            CarMake="make_id",
        )
        .with_columns(
            pl.col("viewpoint")
            .replace_strict(_VIEWPOINT_CODES, default=None, return_dtype=pl.Int64)
            .alias("View Point")
        )
    )


def _tables(items: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the name and items of each list."""
    cars = items["View Point"].is_not_null().any()
    queries = (pl.col("subset") == "sv") if cars else _is_query()
    gallery = items.filter(~queries.fill_null(value=False))
    if cars:
        with_viewpoint = gallery.drop_nulls("View Point").sort(
            "View Point", maintain_order=True
        )
        front = pl.col("View Point").is_in(
            [_VIEWPOINT_CODES["front"], _VIEWPOINT_CODES["front-side"]]
        )
        tables = {
            "car_front": with_viewpoint.filter(front),
            "car_rear": with_viewpoint.filter(~front),
        }
    else:
        tables = {"indexinfo": gallery}
    if next(iter(tables.values())).is_empty():
        raise DataError(
            "no labelled item is left for training: all items are queries or have other "
            "viewpoints"
        )
    test = items.filter(queries.fill_null(value=False))
    return tables if test.is_empty() else {**tables, "tindexinfo": test}


def _omitted_items(
    selection: pl.DataFrame, items: pl.DataFrame, tables: dict[str, pl.DataFrame]
) -> list[ExportFault]:
    """Return faults for the items that are in no list."""
    listed = pl.concat([rows[":row"] for rows in tables.values()])
    unlabelled = selection.filter(pl.col("label").is_null())
    unlisted = items.filter(~pl.col(":row").is_in(listed.implode()))
    return [
        *omitted_faults(unlabelled, "no-label", "it has no class, but every row needs one"),
        *omitted_faults(
            unlisted, "other-view", "neither car_front nor car_rear accepts its viewpoint"
        ),
    ]


def _is_query() -> pl.Expr:
    role = (pl.col("role") == "query").fill_null(value=False)
    return role | (pl.col("role").is_null() & (pl.col("split") == "test"))


def _classes(tables: dict[str, pl.DataFrame], *, unify: bool) -> dict[str, int]:
    """Return label -> number: the label itself if all are integers, else by first rows."""
    labels = pl.concat([rows["label"] for rows in tables.values()]).unique(maintain_order=True)
    if not unify and labels.str.contains(r"\A(0|[1-9][0-9]{0,17})\z").all():
        return {label: int(label) for label in labels}
    return {label: number for number, label in enumerate(labels)}


def _with_index(rows: pl.DataFrame, kept: list[int], classes: dict[str, int]) -> pl.DataFrame:
    """Return the rows that were written, with Index and Class."""
    order = pl.DataFrame({":row": kept}, schema={":row": pl.UInt32})
    indexed = order.join(rows, on=":row", maintain_order="left").with_row_index("Index")
    number = pl.col("label").replace_strict(classes, return_dtype=pl.Int64)
    return indexed.with_columns(pl.col("Index").cast(pl.Int64), Class=number)
