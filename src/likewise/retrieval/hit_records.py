"""The columns of hits that are shown: in memory for a small table, else read per search."""

from functools import cached_property

import polars as pl

from likewise.formats.array_types import Int64Array
from likewise.storage import tables

_SHOWN = ("item_id", "label", "text", "subset", "split", "image_id")

_IN_MEMORY = 1 << 18
"""Largest number of items whose columns are kept in memory."""


class HitRecords:
    """Columns of the items of a published table, by position."""

    def __init__(self, table: tables.Table, name: str) -> None:
        """Read nothing yet.

        Args:
            table: the published table.
            name: name of the data set, the value of the column ``dataset``.
        """
        self._table, self._name = table, name

    def at(self, rows: Int64Array) -> pl.DataFrame:
        """Return item_id, label, text, subset, split, path and dataset of ``rows``."""
        if self._table.rows > _IN_MEMORY:
            return self._named(tables.read_at(self._table, rows.tolist(), _SHOWN))
        # DataFrame.gather waits for threads while those of the index still spin: on a busy
        # machine one query in ten took 10 ms more. Gathering a struct uses a single thread.
        # A key in brackets is answered at once, gather() by a query plan: 0.1 ms more.
        return self._records[pl.Series(rows)].struct.unnest()

    @cached_property
    def _records(self) -> pl.Series:
        return self._named(self._table.read(_SHOWN)).rechunk().to_struct("hits")

    def _named(self, items: pl.DataFrame) -> pl.DataFrame:
        shown = items.rename({"image_id": "path"})
        return shown.with_columns(pl.lit(self._name).alias("dataset"))
