"""Columns that only one table has: their names as fields, and their types by their values."""

import re

import polars as pl
import pyarrow as pa

from likewise.schema import PUBLISHED, Column


def with_types(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    """``rows`` with its further columns typed and named as fields are, and what they are."""
    taken = {*PUBLISHED.names(), "vector", "number", "listed", *rows.columns}
    columns, values = [], []
    for name in [n for n in rows.columns if n.startswith("further:")]:
        said = name.removeprefix("further:")
        # Exports heed the column licence, which Americans spell so.
        spelt = "licence" if said.strip().lower() == "license" else said
        field = field_name(spelt, taken)
        taken.add(field)
        series = typed(rows[name]).alias(field)
        values.append(series)
        meaning = f"the table's column {said!r}"
        columns.append(Column(field, _ARROW[series.dtype], meaning, nullable=True))
    bare = rows.select(n for n in rows.columns if not n.startswith("further:"))
    return bare.with_columns(values), tuple(columns)


_ARROW: dict[object, pa.DataType] = {
    pl.String: pa.string(),
    pl.Int64: pa.int64(),
    pl.Float64: pa.float64(),
    pl.Boolean: pa.bool_(),
}


def field_name(name: str, taken: set[str]) -> str:
    """A name of a column as a field has it: letters, digits and '_', and not yet ``taken``."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "column"
    if plain[0].isdigit() or plain in taken:
        plain = f"given_{plain}"
    number = 2
    field = plain
    while field in taken:
        field, number = f"{plain}_{number}", number + 1
    return field


def typed(values: pl.Series) -> pl.Series:
    """``values`` in the type that all of them are of; "007" and 10**19 are text."""
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    if values.dtype.is_float():
        return values.cast(pl.Float64)
    if values.dtype == pl.Boolean:
        return values
    texts = values.cast(pl.String)
    there = texts.drop_nulls()
    kind = next((kind for kind, says in _SAYS.items() if there.str.contains(says).all()), None)
    if kind is None or there.is_empty():
        return texts
    return texts.str.to_lowercase() == "true" if kind == pl.Boolean else texts.cast(kind)


_SAYS: dict[type[pl.DataType], str] = {
    pl.Int64: r"\A(?:0|-?[1-9][0-9]{0,17})\z",
    pl.Float64: r"\A-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?\z",
    pl.Boolean: r"(?i)\A(?:true|false)\z",
}
"""A type, and how all values of it are written."""
