"""Parquet in Hugging Face's style: a table of images or boxes, with or without pixels.

Source: https://huggingface.co/docs/datasets/image_dataset and .../object_detection.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from likewise.errors import DataError
from likewise.formats.archives import FileCollection, open_files
from likewise.formats.archives.file_collection import damaged_error
from likewise.formats.archives.parquet_images import (
    ParquetImages,
    find_parquet_files,
    image_column,
    opened,
    validated_table,
)
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.hf_objects import (
    FindingRows,
    class_names,
    class_numbers_to_names,
    column_features,
    explode_boxes,
    holds_binary,
    is_upright,
    names_images,
    to_plain_column,
)
from likewise.sources.split_names import file_split_findings, split_of_file, split_rank
from likewise.sources.table_rows import TEXTS
from likewise.sources.table_source import TableSource


class ParquetSource(TableSource):
    """Parquet files ``data/{split}-*.parquet`` with one row per image or per box.

    If a column contains images (a struct of ``bytes`` and ``path``), the id of an image is the
    file name and the row number: ``data/train-0.parquet/00000017.jpg``. Otherwise a column
    contains names of image files. ``objects`` contains the boxes of a row: a struct of lists,
    or a list of structs, with ``bbox`` and ``category``. Class numbers are replaced by the
    names in the file's metadata. Everything else is as for CSV.
    """

    prefixed: ClassVar[frozenset[str]] = frozenset(("image_id", "item_id"))

    objects: str = "objects"
    """Column with the boxes of an image."""

    bbox: Literal["xywh", "xyxy"] = "xywh"
    """Format of boxes in ``objects``: x, y, width, height, or corners; in pixels from 0."""

    def open(self, path: Path) -> FileCollection:
        """Open ``path``, or the images in its Parquet files if they contain any."""
        tables = find_parquet_files(path) if path.exists() else {}
        column = next((image_column(place, self.image) for place in tables.values()), "")
        if not column and self.image:
            _refuse_list_of_images(tables, self.image)
        return ParquetImages(path, column) if column else open_files(path)

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        if isinstance(files, ParquetImages):
            frames = self._tables_with_images(files)
            images: pl.DataFrame | None = _images_of_tables(files)
        else:
            frames, images = self._tables_naming_images(files, annotations), None
        rows, faults = [], []
        for where, frame, names in frames:
            try:
                table_rows, findings = self._rows(where, frame, names)
            except PolarsError as error:
                message = str(error).splitlines()[0]
                raise DataError(f"{where}: a column cannot be read: {message}") from error
            rows.append(table_rows)
            faults += findings
        try:
            table = pl.concat(rows, how="diagonal_relaxed")
        except PolarsError as error:
            message = str(error).splitlines()[0]
            raise DataError(
                f"{files.path}: its tables have incompatible columns: {message}"
            ) from error
        result = self.build_result(files, table, faults, pl.lit(value=True), images)
        if self.orientation == "auto" and self._says_upright(files):
            return replace(result, orientation="upright")
        return result

    def _says_upright(self, files: FileCollection) -> bool:
        """Return whether an export of Likewise says that its boxes are upright."""
        if not isinstance(files, ParquetImages):
            return False
        return any(is_upright(pq.read_schema(opened(place))) for place in files.tables.values())

    def _tables_with_images(
        self, files: ParquetImages
    ) -> Iterator[tuple[str, pl.DataFrame, Mapping[str, Any]]]:
        """Yield the tables that contain images, with image ids in place of the images."""
        paths = files.listing()["path"]
        for where, place in files.tables.items():
            with damaged_error(place):
                schema = pq.read_schema(opened(place))
                other_columns = [name for name in schema.names if name != files.column]
                frame = pl.DataFrame(
                    pl.from_arrow(
                        validated_table(pq.read_table(opened(place), columns=other_columns))
                    )
                )
            ids = paths.filter(paths.str.starts_with(f"{where}/"))
            yield (
                where,
                frame.with_columns(ids.alias(self.image or "image")),
                column_features(schema),
            )

    def _tables_naming_images(
        self, files: FileCollection, annotations: Path
    ) -> Iterator[tuple[str, pl.DataFrame, Mapping[str, Any]]]:
        """Yield the tables that contain names of image files."""
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(r"\.parquet\z")
        if paths.is_empty():
            raise annotation_files.missing_error("data/{split}.parquet")
        for where, data in sorted(annotation_files.read(paths)):
            with damaged_error(annotations, where):
                table = pq.read_table(io.BytesIO(data))
                frame = pl.DataFrame(pl.from_arrow(validated_table(table)))
            yield where, frame, column_features(table.schema)

    def _image_is_read(self, frame: pl.DataFrame) -> bool:
        """Return whether images come from cells, so that no column has to name files."""
        ids = frame.schema.get(self.image or "image")
        return ids == pl.String

    def _left_out(self, where: str, frame: pl.DataFrame) -> FindingRows:
        """Return a finding for each column that is left out because it holds bytes."""
        rows = []
        for name, kind in frame.schema.items():
            if name != self.objects and holds_binary(kind):
                single = kind == pl.Binary or names_images(kind)
                advice = f"; if it is the image, set --option image={name}" if single else ""
                detail = f"the column holds images or other bytes, and is left out{advice}"
                rows.append((f"{where}: {name}", "left-out", detail))
        return rows

    def _rows(
        self, where: str, frame: pl.DataFrame, features: Mapping[str, Any]
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Return the rows of a table with renamed columns, and findings."""
        row = pl.int_range(pl.len()).cast(pl.String)
        frame = frame.with_columns((pl.lit(f"{where}: row ") + row).alias(":where"))
        boxes: pl.DataFrame | None = None
        invalid: FindingRows = []
        if self.objects in frame.columns:
            cells = frame.select(":where", self.objects)
            corners = self.bbox == "xyxy"
            boxes, invalid = explode_boxes(cells, features.get(self.objects), corners=corners)
        if not self._image_is_read(frame):
            frame = _with_paths_of_images(frame)
        invalid += self._left_out(where, frame)
        flat = frame.select(
            _plain_column(name, kind, features)
            for name, kind in frame.schema.items()
            if name != self.objects and not holds_binary(kind)
        )
        rows, misspelt = self.rename_columns(flat, where)
        folder = pl.lit(where[: where.rfind("/") + 1]).alias(":folder")
        rows = rows.with_columns(
            folder, *(pl.col(c).cast(pl.String) for c in ("image", *TEXTS) if c in rows.columns)
        )
        if "split" not in rows.columns:
            rows = rows.with_columns(split=pl.lit(split_of_file(where).split, pl.String))
            invalid += file_split_findings([where], "or set --option split=COLUMN")
        if boxes is not None:
            images = rows.select("image", "split", ":where", ":folder")
            box_rows = boxes.join(images, on=":where", maintain_order="left")
            box_rows = box_rows.drop(":where").rename({":place": ":where"})
            rows = pl.concat([rows, box_rows], how="diagonal_relaxed")
        return rows, [misspelt, findings_from_rows(invalid)]


def _refuse_list_of_images(tables: Mapping[str, Path], column: str) -> None:
    """Raise an error if ``column`` holds bytes but not one image per row.

    Raises:
        DataError: the column is a list of images, or a struct with other fields.
    """
    for where, place in tables.items():
        with damaged_error(place):
            schema = pq.read_schema(opened(place))
        kind = str(schema.field(column).type) if column in schema.names else ""
        if "binary" in kind and not kind.startswith("struct<bytes"):
            raise DataError(
                f"{where}: the column {column!r} has the type {kind}, not one image per row; "
                "write a row per image, or name another column by --option image=COLUMN"
            )


def _with_paths_of_images(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace images in cells, which have no bytes, by their paths; a single one is "image"."""
    columns = [name for name, kind in frame.schema.items() if names_images(kind)]
    paths = frame.with_columns(pl.col(c).struct.field("path").alias(c) for c in columns)
    single = len(columns) == 1 and "image" not in frame.columns
    return paths.rename({columns[0]: "image"}) if single else paths


def _plain_column(name: str, dtype: pl.DataType, features: Mapping[str, Any]) -> pl.Expr:
    """Return a column in a type that item tables can hold; class numbers become names."""
    classes = class_names(features.get(name))
    if classes and dtype.is_integer():
        return class_numbers_to_names(pl.col(name), classes).alias(name)
    return to_plain_column(name, dtype)


def _images_of_tables(files: ParquetImages) -> pl.DataFrame:
    """Return the images in the tables in canonical order: by the table's split, and row."""
    if files.listing().is_empty():
        raise DataError(f"{files.path}: its tables have no rows")
    splits = {name: split_of_file(name).split for name in files.tables}
    table = pl.col("path").str.extract(r"(?s)\A(.*)/")
    split = table.replace_strict(splits, default=None, return_dtype=pl.String)
    return (
        files.listing()
        .select("path", name="path", split=split)
        .sort(split_rank(), "split", "path", nulls_last=True)
    )
