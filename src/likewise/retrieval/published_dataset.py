"""The part of an open data set that indexes and filters need; ``Dataset`` provides it."""

from typing import Protocol

import polars as pl

from likewise.storage import tables


class PublishedDataset(Protocol):
    """An open data set: its published table, its items and its models."""

    name: str

    @property
    def table(self) -> tables.Table:
        """The published table."""
        ...

    @property
    def items(self) -> pl.DataFrame:
        """Every column but the vectors, one row per item, in canonical order."""
        ...

    @property
    def models(self) -> list[str]:
        """The models that have a vector column."""
        ...

    def need_model(self, model: str) -> None:
        """Refuse a model without a vector column."""
        ...
