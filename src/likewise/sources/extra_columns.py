"""Columns of one user's table beyond the known ones: field names and inferred types."""

import re

import polars as pl
import pyarrow as pa

from likewise.schema import PUBLISHED, Column

PREFIX = "extra:"
"""Prefix of extra columns until ``type_extra_columns`` gives them their field names."""


def type_extra_columns(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    """Give the columns named ``extra:...`` a field name and a type.

    Returns:
        The other columns of ``rows``, then the typed ones; and a description of each of those.
    """
    taken = {*PUBLISHED.names(), "vector", "number", "listed", *rows.columns}
    columns, values = [], []
    for column in [name for name in rows.columns if name.startswith(PREFIX)]:
        name = column.removeprefix(PREFIX)
        # Exports read the column licence; American spelling is accepted.
        spelling = "licence" if name.strip().lower() == "license" else name
        field = unique_field_name(spelling, taken)
        taken.add(field)
        series = infer_type(rows[column]).alias(field)
        values.append(series)
        meaning = f"the table's column {name!r}"
        columns.append(Column(field, _ARROW_TYPES[series.dtype], meaning, nullable=True))
    known = rows.select(name for name in rows.columns if not name.startswith(PREFIX))
    return known.with_columns(values), tuple(columns)


_ARROW_TYPES: dict[object, pa.DataType] = {
    pl.String: pa.string(),
    pl.Int64: pa.int64(),
    pl.Float64: pa.float64(),
    pl.Boolean: pa.bool_(),
}


def unique_field_name(name: str, taken: set[str]) -> str:
    """Reduce ``name`` to lower-case letters, digits and '_', different from all ``taken``."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "column"
    if plain[0].isdigit() or plain in taken:
        plain = f"given_{plain}"
    number = 2
    field = plain
    while field in taken:
        field, number = f"{plain}_{number}", number + 1
    return field


def infer_type(values: pl.Series) -> pl.Series:
    """Cast ``values`` to Int64, Float64 or Boolean if all fit, else to String.

    Text such as "007" and integers beyond 18 digits stay text.
    """
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    if values.dtype.is_float():
        return values.cast(pl.Float64)
    if values.dtype == pl.Boolean:
        return values
    texts = values.cast(pl.String)
    filled = texts.drop_nulls()
    fitting = (dtype for dtype, form in _FORMS.items() if filled.str.contains(form).all())
    dtype = next(fitting, None)
    if dtype is None or filled.is_empty():
        return texts
    return texts.str.to_lowercase() == "true" if dtype == pl.Boolean else texts.cast(dtype)


_FORMS: dict[type[pl.DataType], str] = {
    pl.Int64: r"\A(?:0|-?[1-9][0-9]{0,17})\z",
    pl.Float64: r"\A-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?\z",
    pl.Boolean: r"(?i)\A(?:true|false)\z",
}
"""Type -> regular expression that all of its values match as text."""
