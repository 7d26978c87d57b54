"""Boxes in cells, and names of class numbers, as Hugging Face's data sets have them."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from likewise.errors import DataError
from likewise.storage import tables

_BBOX = ("bbox", "box", "bboxes")
_CATEGORY = ("category", "label", "category_name", "categories", "class", "labels")

Faults = list[tuple[str, str, str]]


def features(schema: pa.Schema) -> Mapping[str, Any]:
    """What a Parquet file's own metadata say of its columns; nothing where they say nothing."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = said["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def class_names(feature: object) -> list[str] | None:
    """The names of the class numbers of a column; None where it has none."""
    names = feature.get("names") if isinstance(feature, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else None


def as_names(column: pl.Expr, names: list[str]) -> pl.Expr:
    """Class numbers as names; a number without one, -1 say, is no class."""
    return column.cast(pl.Int64, strict=False).replace_strict(
        range(len(names)), names, default=None, return_dtype=pl.String
    )


def exploded(
    objects: pl.DataFrame, feature: object, *, corners: bool
) -> tuple[pl.DataFrame, Faults]:
    """A row a box of the cells of ``objects`` (``:where``, and a column of boxes).

    Args:
        objects: cells that are structs of lists, or lists of structs.
        feature: what the file says of the column.
        corners: whether a box is its corners, or else x, y, width, height.

    Returns:
        ``:where`` of the cell, ``:place`` of the box, label, x1, y1, and w, h or x2, y2, and
        ``further:`` columns; and findings about cells whose lists are not of one length.

    Raises:
        DataError: the column holds no boxes.
    """
    name = objects.columns[1]
    flat, broken = _unpacked(objects, name)
    bbox = next((field for field in _BBOX if field in flat.columns), "")
    if not bbox or not isinstance(flat.schema[bbox], pl.List | pl.Array):
        kinds = ", ".join(flat.columns[1:])
        raise DataError(f"column {name!r} has no list of numbers 'bbox'; there is {kinds}")
    values = pl.col(bbox).cast(pl.List(pl.Float64), strict=False)
    sides = ("x1", "y1", "x2", "y2") if corners else ("x1", "y1", "w", "h")
    kind = next((field for field in _CATEGORY if field in flat.columns), "")
    others = [field for field in flat.columns[1:] if field not in (bbox, kind)]
    number = pl.int_range(1, pl.len() + 1).over(":where").cast(pl.String)
    return flat.select(
        ":where",
        (pl.col(":where") + ", box " + number).alias(":place"),
        _label(kind, flat.schema.get(kind), feature).alias("label"),
        *(
            # Not nothing, which would be a row without a box.
            values.list.get(n, null_on_oob=True).fill_null(float("nan")).alias(side)
            for n, side in enumerate(sides)
        ),
        *(
            as_plain(field, flat.schema[field]).alias(_named(field, flat.schema[field]))
            for field in others
            if flat.schema[field] != pl.Binary
        ),
    ), broken


def _named(field: str, kind: pl.DataType) -> str:
    """What the column of a field is called as: a box's text, or a further one."""
    return field if field == "text" and kind == pl.String else f"further:{field}"


def as_plain(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as what a table of items can hold: nested values as JSON, others as they are."""
    if kind.is_nested():
        return tables.as_json(name)
    column = pl.col(name)
    plain = kind.is_numeric() and not kind.is_decimal()
    return column if plain or kind in (pl.Boolean, pl.String) else column.cast(pl.String)


def _unpacked(objects: pl.DataFrame, name: str) -> tuple[pl.DataFrame, Faults]:
    """A row an object: ``:where``, and a column a field."""
    kind = objects.schema[name]
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        there = objects.filter(pl.col(name).list.len() > 0)
        return there.explode(name).unnest(name), []
    if not isinstance(kind, pl.Struct):
        raise DataError(
            f"column {name!r} is {kind}, no boxes; name another in the card: objects: ..."
        )
    wide = objects.unnest(name)
    lists = [c for c, t in wide.schema.items() if isinstance(t, pl.List) and c != ":where"]
    if not lists:
        raise DataError(f"column {name!r} is a struct without lists, no boxes")
    lengths = [pl.col(c).list.len().fill_null(0) for c in lists]
    even = pl.all_horizontal(length == lengths[0] for length in lengths)
    uneven = wide.filter(~even)[":where"]
    said = f"the lists of its {name!r} are not of one length"
    there = wide.filter(even & (lengths[0] > 0)).select(":where", *lists)
    return there.explode(lists), [(where, "bad-row", said) for where in uneven]


def _label(kind: str, dtype: pl.DataType | None, feature: object) -> pl.Expr:
    """The class of a box, by its name where the file says one."""
    if dtype is None:
        return pl.lit(None, pl.String)
    inside = _inner(feature)
    names = class_names(_inner(inside.get(kind))) if dtype.is_integer() else None
    return as_names(pl.col(kind), names) if names else pl.col(kind).cast(pl.String)


def _inner(feature: object) -> Mapping[str, Any]:
    """What a feature says of a value in it, however many lists that lies in."""
    while True:
        if isinstance(feature, list) and feature:
            feature = feature[0]
        elif isinstance(feature, dict) and isinstance(feature.get("feature"), dict | list):
            feature = feature["feature"]
        else:
            return feature if isinstance(feature, dict) else {}
