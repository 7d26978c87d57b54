"""The matrices and lists of the CompCars image-retrieval system: letterboxed pixels in .npy."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from likewise.errors import DataError
from likewise.exports.base import Export, Fault, Selection, omitted
from likewise.exports.compcars_pairs import Pairs
from likewise.exports.export_files import put_csv
from likewise.exports.pixel_rows import pixels
from likewise.formats.array_types import Pixels
from likewise.formats.array_writer import npy
from likewise.imaging.decode import crop, decode, reduced
from likewise.imaging.image_reader import Box
from likewise.imaging.transforms.letterbox import Letterbox

_VIEWS = {"front": 1, "rear": 2, "front-side": 4, "rear-side": 5}
"""Viewpoints that the system keeps, by CompCars' own numbers."""

_CAR = ("Path", "FileName", "View Point", "Year", "CarMake", "Class", "Index")
_PLAIN = ("Path", "Index", "Class")

_TOP = r"\A(?:.*/)?image/"


class ImageMatrix(Export):
    """Images as uint8 (N, 3, side, side), RGB, letterboxed with no black line; lists of them.

    Of CompCars: ``car_front``, ``car_rear`` (web images by viewpoint: front, then front-side;
    rear, then rear-side) and ``tindexinfo`` (surveillance images), each a .npy, which
    ``numpy.load`` can map into memory, and a .csv whose Index is the row. Of other data sets:
    ``indexinfo`` and, for queries or the split test, ``tindexinfo``. Beside them ``test.npy``
    and the training files of the system (see ``Pairs``). Rows are in canonical order; what
    cannot be decoded has no row and is reported.
    """

    side: int = Field(default=224, gt=0)
    """Pixels of an edge."""

    fill: Literal["gaussian", "black", "white"] = "gaussian"
    """What the bars are: the picture blurred, or a colour."""

    whole: bool = False
    """Decode JPEGs at their whole size; else at the smallest that is no smaller than needed."""

    original_bugs: bool = False
    """The pixels as the original program has them; see ``Letterbox``."""

    boxes: Literal["cut", "ignore"] = "ignore"
    """Of an item that is a box: the box, or, as in the original, the whole image."""

    unify: bool = False
    """Number the classes from 0 in the order of their first rows, as its later version does."""

    training: bool = True
    """Whether the files for training and validation are written."""

    ratio: int = Field(default=7, gt=1)
    negatives: int = Field(default=4, gt=0)
    min_images: int = Field(default=58, ge=0)
    skip: int = Field(default=1, gt=0)
    seed: int = Field(default=7, ge=0)
    """See ``Pairs``."""

    @property
    def changes(self) -> bool:
        """See ``Export.changes``."""
        return True

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        items = _as_rows(chosen.items)
        tables = _tables(items)
        classes = _classes(tables, unify=self.unify)
        faults = _without_place(chosen.items, items, tables)
        kept: dict[str, pl.DataFrame] = {}
        for name, rows in tables.items():
            found, bad = self._matrix(chosen, folder / f"{name}.npy", rows[":row"].to_list())
            faults += bad
            kept[name] = _indexed(rows, found, classes)
            columns = _CAR if name.startswith("car_") else _PLAIN
            put_csv(folder / f"{name}.csv", columns, kept[name].select(columns).iter_rows())
        queries = kept.get("tindexinfo")
        if queries is not None:
            np.save(folder / "test.npy", queries.select("Index", "Class").to_numpy())
        if self.training:
            self._pairs().write(next(iter(kept.values()))["Class"].to_list(), folder)
        return faults

    def _pairs(self) -> Pairs:
        return Pairs(
            ratio=self.ratio,
            negatives=self.negatives,
            min_images=self.min_images,
            skip=self.skip,
            seed=self.seed,
            original_bugs=self.original_bugs,
        )

    def _matrix(
        self, chosen: Selection, path: Path, rows: list[int]
    ) -> tuple[list[int], list[Fault]]:
        """Write the matrix of the items ``rows``; those that have a row, and the faults."""
        kept: list[int] = []
        faults: list[Fault] = []
        box = Letterbox(side=self.side, fill=self.fill, original_bugs=self.original_bugs)
        whole = self.whole or self.original_bugs or self.boxes == "cut"
        make = partial(_planes, letterbox=box, whole=whole)
        with npy(path, (3, self.side, self.side), np.uint8) as matrix:
            cut = self.boxes == "cut"
            for part in pixels(chosen, rows, make, (3, self.side, self.side), cut=cut):
                matrix.append(part.pixels)
                kept += part.rows
                faults += part.faults
        return kept, faults


def _planes(
    data: bytes, box: Box | None, planes: Pixels, *, letterbox: Letterbox, whole: bool
) -> None:
    """Fill ``planes`` (3, side, side) with the letterboxed pixels of an image."""
    if not whole:
        picture = reduced(data, letterbox.size)
    else:
        # OpenCV, with which the original reads, turns a picture as its EXIF asks.
        picture = decode(data, upright=letterbox.original_bugs and box is None)
    if box is not None:
        picture = crop(picture, box)
    letterbox.draw(picture, planes.transpose(1, 2, 0))


def _as_rows(items: pl.DataFrame) -> pl.DataFrame:
    """The items that have a class, with the columns of the lists but Index and Class."""
    absent = [c for c in ("viewpoint", "year", "make_id") if c not in items.columns]
    return (
        items.with_row_index(":row")
        .with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
        .drop_nulls("label")
        .with_columns(
            Path=pl.col("image_id").str.replace(_TOP, ""),
            FileName=pl.col("image_id").str.extract(r"([^/]*?)(?:\.[^./]*)?\z"),
            Year="year",
            CarMake="make_id",
        )
        .with_columns(
            pl.col("viewpoint")
            .replace_strict(_VIEWS, default=None, return_dtype=pl.Int64)
            .alias("View Point")
        )
    )


def _tables(items: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The name of each list, and its items."""
    cars = items["View Point"].is_not_null().any()
    queries = (pl.col("subset") == "sv") if cars else _is_query()
    gallery = items.filter(~queries.fill_null(value=False))
    if cars:
        seen = gallery.drop_nulls("View Point").sort("View Point", maintain_order=True)
        front = pl.col("View Point").is_in([_VIEWS["front"], _VIEWS["front-side"]])
        found = {"car_front": seen.filter(front), "car_rear": seen.filter(~front)}
    else:
        found = {"indexinfo": gallery}
    if next(iter(found.values())).is_empty():
        raise DataError("no labelled item is for training: all are queries, or of other views")
    test = items.filter(queries.fill_null(value=False))
    return found if test.is_empty() else {**found, "tindexinfo": test}


def _without_place(
    chosen: pl.DataFrame, items: pl.DataFrame, tables: dict[str, pl.DataFrame]
) -> list[Fault]:
    """The ``chosen`` items that are in no list, and why."""
    listed = pl.concat([rows[":row"] for rows in tables.values()])
    bare = chosen.filter(pl.col("label").is_null())
    aside = items.filter(~pl.col(":row").is_in(listed.implode()))
    return [
        *omitted(bare, "no-label", "it has no class, which every row has"),
        *omitted(aside, "other-view", "car_front and car_rear have no place for its viewpoint"),
    ]


def _is_query() -> pl.Expr:
    role = (pl.col("role") == "query").fill_null(value=False)
    return role | (pl.col("role").is_null() & (pl.col("split") == "test"))


def _classes(tables: dict[str, pl.DataFrame], *, unify: bool) -> dict[str, int]:
    """The number of every label: itself where all are numbers, else in order of first rows."""
    labels = pl.concat([rows["label"] for rows in tables.values()]).unique(maintain_order=True)
    if not unify and labels.str.contains(r"\A(0|[1-9][0-9]{0,17})\z").all():
        return {label: int(label) for label in labels}
    return {label: number for number, label in enumerate(labels)}


def _indexed(rows: pl.DataFrame, kept: list[int], classes: dict[str, int]) -> pl.DataFrame:
    """The rows that have pixels, with Index and Class."""
    order = pl.DataFrame({":row": kept}, schema={":row": pl.UInt32})
    found = order.join(rows, on=":row", maintain_order="left").with_row_index("Index")
    number = pl.col("label").replace_strict(classes, return_dtype=pl.Int64)
    return found.with_columns(pl.col("Index").cast(pl.Int64), Class=number)
