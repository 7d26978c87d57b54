"""Nested values for whatever holds none: CSV, a column of texts."""

import polars as pl


def as_json(name: str) -> pl.Expr:
    """The column ``name`` of lists or structs as JSON texts; what is null stays null."""
    column = pl.col(name)
    whole = pl.struct(column.alias("v")).struct.json_encode()
    text = whole.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(column.is_not_null()).then(text).alias(name)
