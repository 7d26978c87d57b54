"""Indices of words, and search by them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import lance

_WORDS = "_words"


def index_words(dataset: "lance.LanceDataset", columns: Sequence[str]) -> None:
    """Give text columns an index of their words, for ``search_words``; English stems."""
    for column in columns:
        dataset.create_scalar_index(
            column, "INVERTED", name=f"{column}{_WORDS}", with_position=False, replace=True
        )


def word_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns whose words are indexed."""
    names = [index.name for index in dataset.describe_indices()]
    return [name.removesuffix(_WORDS) for name in names if name.endswith(_WORDS)]


def search_words(
    dataset: "lance.LanceDataset", columns: Sequence[str], text: str
) -> pl.DataFrame:
    """``_rowoffset`` and ``_score`` (BM25) of all rows that have a word of ``text``."""
    query = {"query": text, "columns": list(columns)}
    found = dataset.scanner(
        columns=["_rowoffset", "_score"],
        full_text_query=query,
        limit=max(1, dataset.count_rows()),
    ).to_table()
    return pl.DataFrame(pl.from_arrow(found))
