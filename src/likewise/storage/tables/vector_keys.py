"""The key of each item's vector in a table of embeddings."""

import json

import polars as pl

from likewise.storage.tables.table import Table


def vector_keys(table: Table, items: pl.DataFrame, column: str = "vector") -> pl.Series:
    """Return the value of the column ``content`` of a table of embeddings for each item.

    Vectors that were imported by item have one row per item, which their passport states;
    other tables have one row per distinct content.

    Args:
        table: a table of embeddings.
        items: item_id and content.
        column: the column of the vectors; in a published table it has the name of the model.

    Raises:
        DataError: the table has no passport.
    """
    recipe = json.loads(table.passport(column)).get("recipe", {})
    by_item = recipe.get("key") == "item"
    return items.select(item_keys() if by_item else pl.col("content")).to_series()


def item_keys() -> pl.Expr:
    """Return the key of an item's own vector: its content, a space and its id.

    The key begins with the hash of the content, so a take-down finds it like any other.
    """
    return pl.concat_str("content", "item_id", separator=" ").alias("content")
