"""Hugging Face conventions for Parquet: columns of boxes, and names of class numbers."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from likewise.errors import DamagedError, DataError
from likewise.formats.json_documents import parse_json
from likewise.sources.extra_columns import PREFIX
from likewise.storage import tables

_BOX_FIELDS = ("bbox", "box", "bboxes")
_CLASS_FIELDS = ("category", "label", "category_name", "categories", "class", "labels")

FindingRows = list[tuple[str, str, str]]
"""``(path, check, detail)`` tuples; see ``findings_from_rows``."""


def column_features(schema: pa.Schema) -> Mapping[str, Any]:
    """Return the Hugging Face features in a Parquet file's metadata; empty if it has none."""
    try:
        metadata = parse_json((schema.metadata or {}).get(b"huggingface", b"{}"), "")
        features = metadata["info"]["features"]
    except (DamagedError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def is_upright(schema: pa.Schema) -> bool:
    """Return whether an export of Likewise says that boxes are those of upright pictures."""
    try:
        notes = parse_json((schema.metadata or {}).get(b"likewise", b"{}"), "")
    except DamagedError:
        return False
    return isinstance(notes, dict) and notes.get("orientation") == "upright"


def class_names(feature: object) -> list[str] | None:
    """Return the class names of a column's feature; None if it has none."""
    names = feature.get("names") if isinstance(feature, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def class_numbers_to_names(column: pl.Expr, names: list[str]) -> pl.Expr:
    """Replace class numbers by names; numbers without a name, such as -1, become null."""
    return column.cast(pl.Int64, strict=False).replace_strict(
        range(len(names)), names, default=None, return_dtype=pl.String
    )


def explode_boxes(
    objects: pl.DataFrame, feature: object, *, corners: bool
) -> tuple[pl.DataFrame, FindingRows]:
    """Return one row per box of the cells of ``objects``.

    Args:
        objects: ``:where`` (location of the row), and one column whose cells are structs of
            lists or lists of structs.
        feature: Hugging Face feature of that column.
        corners: boxes are x1, y1, x2, y2; otherwise x, y, width, height.

    Returns:
        Columns ``:where`` of the cell, ``:place`` of the box, ``label``, ``x1``, ``y1``, then
        ``x2``, ``y2`` or ``w``, ``h``, and extra columns; and finding rows about cells whose
        lists differ in length.

    Raises:
        DataError: the column holds no boxes.
    """
    name = objects.columns[1]
    flat, faults = _explode(objects, name)
    bbox = next((field for field in _BOX_FIELDS if field in flat.columns), "")
    if not bbox or not isinstance(flat.schema[bbox], pl.List | pl.Array):
        fields = ", ".join(flat.columns[1:])
        raise DataError(f"column {name!r} has no list of numbers 'bbox'; it has {fields}")
    values = pl.col(bbox).cast(pl.List(pl.Float64), strict=False)
    sides = ("x1", "y1", "x2", "y2") if corners else ("x1", "y1", "w", "h")
    class_field = next((field for field in _CLASS_FIELDS if field in flat.columns), "")
    others = [field for field in flat.columns[1:] if field not in (bbox, class_field)]
    number = pl.int_range(1, pl.len() + 1).over(":where").cast(pl.String)
    return flat.select(
        ":where",
        (pl.col(":where") + ", box " + number).alias(":place"),
        _label(class_field, flat.schema.get(class_field), feature).alias("label"),
        *(
            # NaN marks an invalid box; null would mean a row without a box.
            values.list.get(n, null_on_oob=True).fill_null(float("nan")).alias(side)
            for n, side in enumerate(sides)
        ),
        *(
            to_plain_column(field, flat.schema[field]).alias(
                _column_name(field, flat.schema[field])
            )
            for field in others
            if not holds_binary(flat.schema[field])
        ),
    ), faults


def _column_name(field: str, dtype: pl.DataType) -> str:
    """Return the column of a field: ``text`` of the box, or an extra column."""
    return field if field == "text" and dtype == pl.String else f"{PREFIX}{field}"


def to_plain_column(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column in a type that item tables can hold.

    Nested values become JSON, durations seconds.
    """
    if dtype.is_nested():
        return tables.as_json(name)
    column = pl.col(name)
    if isinstance(dtype, pl.Duration):
        return (
            column.dt.total_nanoseconds() / 1e9
            if dtype.time_unit == "ns"
            else (column.dt.total_microseconds() / 1e6)
        )
    is_number = dtype.is_numeric() and not dtype.is_decimal()
    return column if is_number or dtype in (pl.Boolean, pl.String) else column.cast(pl.String)


def holds_binary(dtype: object) -> bool:
    """Return whether values of ``dtype`` are or contain bytes, which no item table holds."""
    if isinstance(dtype, pl.Struct):
        return any(holds_binary(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.List | pl.Array):
        return holds_binary(dtype.inner)
    is_nested = isinstance(dtype, pl.DataType) and dtype.is_nested()  # a map
    return dtype == pl.Binary or (is_nested and "Binary" in str(dtype))


def names_images(dtype: object) -> bool:
    """Return whether ``dtype`` is that of images in cells: a struct of bytes and path."""
    if not isinstance(dtype, pl.Struct):
        return False
    fields = {field.name: field.dtype for field in dtype.fields}
    return fields.get("bytes") == pl.Binary and fields.get("path") == pl.String


def _explode(objects: pl.DataFrame, name: str) -> tuple[pl.DataFrame, FindingRows]:
    """Return one row per object: ``:where``, and one column per field."""
    dtype = objects.schema[name]
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        filled = objects.filter(pl.col(name).list.len() > 0)
        return filled.explode(name).unnest(name), []
    if not isinstance(dtype, pl.Struct):
        raise DataError(
            f"column {name!r} has the type {dtype}, which cannot contain boxes; name another "
            "column in the card: objects: ..."
        )
    wide = objects.unnest(name)
    lists = [c for c, t in wide.schema.items() if isinstance(t, pl.List) and c != ":where"]
    if not lists:
        raise DataError(f"column {name!r} is a struct without lists, so it contains no boxes")
    lengths = [pl.col(c).list.len().fill_null(0) for c in lists]
    is_even = pl.all_horizontal(length == lengths[0] for length in lengths)
    uneven = wide.filter(~is_even)[":where"]
    detail = f"the lists of its {name!r} are not of one length"
    filled = wide.filter(is_even & (lengths[0] > 0)).select(":where", *lists)
    return filled.explode(lists), [(where, "bad-row", detail) for where in uneven]


def _label(field: str, dtype: pl.DataType | None, feature: object) -> pl.Expr:
    """Return the class of a box, by name if the feature has names."""
    if dtype is None:
        return pl.lit(None, pl.String)
    element = _element_feature(feature)
    names = class_names(_element_feature(element.get(field))) if dtype.is_integer() else None
    column = pl.col(field)
    if names:
        return class_numbers_to_names(column, names)
    return to_plain_column(field, dtype).cast(pl.String)


def _element_feature(feature: object) -> Mapping[str, Any]:
    """Return the feature of the innermost element of nested lists."""
    while True:
        if isinstance(feature, list) and feature:
            feature = feature[0]
        elif isinstance(feature, dict) and isinstance(feature.get("feature"), dict | list):
            feature = feature["feature"]
        else:
            return feature if isinstance(feature, dict) else {}
