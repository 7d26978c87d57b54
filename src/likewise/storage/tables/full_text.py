"""Full-text indices of text columns, and search by them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import lance

_SUFFIX = "_words"
"""The end of the name of a full-text index; the start is its column."""


def create_text_index(dataset: "lance.LanceDataset", columns: Sequence[str]) -> None:
    """Create a full-text index (English stems) of each of ``columns``."""
    for column in columns:
        dataset.create_scalar_index(
            column, "INVERTED", name=f"{column}{_SUFFIX}", with_position=False, replace=True
        )


def text_index_columns(dataset: "lance.LanceDataset") -> list[str]:
    """List the columns that have a full-text index."""
    names = [index.name for index in dataset.describe_indices()]
    return [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]


def search_text(
    dataset: "lance.LanceDataset", columns: Sequence[str], text: str
) -> pl.DataFrame:
    """Find all rows that contain a word of ``text``; see ``Table.search_text``."""
    query = {"query": text, "columns": list(columns)}
    hits = dataset.scanner(
        columns=["_rowoffset", "_score"],
        full_text_query=query,
        limit=max(1, dataset.count_rows()),
    ).to_table()
    frame = pl.DataFrame(pl.from_arrow(hits))
    return frame.select(
        pl.col("_rowoffset").cast(pl.Int64).alias("row"),
        pl.col("_score").cast(pl.Float32).alias("score"),
    )
