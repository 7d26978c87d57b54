"""Nested values as JSON text, for formats that have no lists, such as CSV."""

import polars as pl


def as_json(name: str) -> pl.Expr:
    """Convert the column ``name`` of lists or structs to JSON text; null stays null."""
    column = pl.col(name)
    whole = pl.struct(column.alias("v")).struct.json_encode()
    text = whole.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(column.is_not_null()).then(text).alias(name)
