"""Parquet, in Hugging Face's style: a table of images or boxes, with or without the images.

Source: https://huggingface.co/docs/datasets/image_dataset and .../object_detection.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from likewise.errors import DataError
from likewise.formats.archives import Files, open_files
from likewise.formats.archives.base import damage
from likewise.formats.archives.parquet_images import (
    Parquets,
    checked,
    image_column,
    tables_in,
)
from likewise.sources.annotation_files import Notes, split_named
from likewise.sources.base import Reading, findings_frame
from likewise.sources.box_source import split_rank
from likewise.sources.folder import SPLITS
from likewise.sources.hf_objects import (
    Faults,
    as_names,
    as_plain,
    class_names,
    exploded,
    features,
)
from likewise.sources.table_rows import TEXTS
from likewise.sources.table_source import TableSource


class Parquet(TableSource):
    """Parquet files ``data/{split}-*.parquet``, a row an image, or a row a box.

    Where a column holds images, as a struct of bytes and path, those are the images: the id is
    the file's name and the row's number, ``data/train-0.parquet/00000017.jpg``. Else a column
    names images that lie beside it. ``objects`` is a row's boxes: a struct of lists, or a list
    of structs, with ``bbox`` and ``category``. Class numbers become the names that the file's
    own metadata have of them. All else is as in a CSV.
    """

    objects: str = "objects"
    """The column of an image's boxes."""

    bbox: Literal["xywh", "xyxy"] = "xywh"
    """What a box of ``objects`` is: x, y, width and height, or corners; in pixels from 0."""

    def open(self, path: Path) -> Files:
        """The files at ``path``, or the images in the Parquet files there."""
        tables = tables_in(path) if path.exists() else {}
        column = next((image_column(place, self.image) for place in tables.values()), "")
        return Parquets(path, column) if column else open_files(path)

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        if isinstance(files, Parquets):
            frames = self._held(files)
            tree: pl.DataFrame | None = _as_tree(files)
        else:
            frames, tree = self._beside(files, annotations), None
        rows, faults = [], []
        for where, frame, names in frames:
            more, wrong = self._rows(where, frame, names)
            rows.append(more)
            faults += wrong
        try:
            table = pl.concat(rows, how="diagonal_relaxed")
        except PolarsError as error:
            said = str(error).splitlines()[0]
            raise DataError(f"{files.path}: its tables have other columns: {said}") from error
        return self.assembled(files, table, faults, pl.lit(value=True), tree)

    def _held(self, files: Parquets) -> Iterator[tuple[str, pl.DataFrame, Mapping[str, Any]]]:
        """The tables that hold images, each with the ids of its images in their column."""
        listed = files.listing()["path"]
        for where, place in files.tables.items():
            with damage(place):
                schema = pq.read_schema(place)
                kept = [name for name in schema.names if name != files.column]
                frame = pl.DataFrame(pl.from_arrow(checked(pq.read_table(place, columns=kept))))
            ids = listed.filter(listed.str.starts_with(f"{where}/"))
            yield where, frame.with_columns(ids.alias(self.image or "image")), features(schema)

    def _beside(
        self, files: Files, annotations: Path
    ) -> Iterator[tuple[str, pl.DataFrame, Mapping[str, Any]]]:
        """The tables that name images."""
        notes = Notes(files, annotations)
        names = notes.names(r"\.parquet\z")
        if names.is_empty():
            raise notes.absent("data/{split}.parquet")
        for where, data in sorted(notes.read(names)):
            with damage(annotations, where):
                table = pq.read_table(io.BytesIO(data))
                frame = pl.DataFrame(pl.from_arrow(checked(table)))
            yield where, frame, features(table.schema)

    def _rows(
        self, where: str, frame: pl.DataFrame, names: Mapping[str, Any]
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """The rows of a table, its columns called as what they are, and findings."""
        row = pl.int_range(pl.len()).cast(pl.String)
        frame = frame.with_columns((pl.lit(f"{where}: row ") + row).alias(":where"))
        boxes: pl.DataFrame | None = None
        broken: Faults = []
        if self.objects in frame.columns:
            cells = frame.select(":where", self.objects)
            corners = self.bbox == "xyxy"
            boxes, broken = exploded(cells, names.get(self.objects), corners=corners)
        flat = frame.select(
            _flat(name, kind, names)
            for name, kind in frame.schema.items()
            if name != self.objects and kind != pl.Binary
        )
        rows, odd = self.mapped(flat, where)
        folder = pl.lit(where[: where.rfind("/") + 1]).alias(":folder")
        rows = rows.with_columns(
            folder, *(pl.col(c).cast(pl.String) for c in ("image", *TEXTS) if c in rows.columns)
        )
        if "split" not in rows.columns:
            rows = rows.with_columns(split=pl.lit(split_named(where, SPLITS), pl.String))
        if boxes is not None:
            images = rows.select("image", "split", ":where", ":folder")
            inside = boxes.join(images, on=":where", maintain_order="left")
            inside = inside.drop(":where").rename({":place": ":where"})
            rows = pl.concat([rows, inside], how="diagonal_relaxed")
        return rows, [odd, findings_frame(broken)]


def _flat(name: str, kind: pl.DataType, names: Mapping[str, Any]) -> pl.Expr:
    """A column as a table of items can hold it; class numbers as their names."""
    classes = class_names(names.get(name))
    if classes and kind.is_integer():
        return as_names(pl.col(name), classes).alias(name)
    return as_plain(name, kind)


def _as_tree(files: Parquets) -> pl.DataFrame:
    """The images in the tables, in canonical order: by the split of their table, and row."""
    if files.listing().is_empty():
        raise DataError(f"{files.path}: its tables have no rows, and so no images")
    splits = {name: split_named(name, SPLITS) for name in files.tables}
    table = pl.col("path").str.extract(r"(?s)\A(.*)/")
    split = table.replace_strict(splits, default=None, return_dtype=pl.String)
    return (
        files.listing()
        .select("path", name="path", split=split)
        .sort(split_rank(), "split", "path", nulls_last=True)
    )
