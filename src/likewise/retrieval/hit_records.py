"""The columns of hits that are shown: in memory if they are few or asked often."""

from functools import cached_property

import polars as pl

from likewise.formats.array_types import Int64Array
from likewise.formats.memory import MEMORY
from likewise.storage import tables

_SHOWN = ("item_id", "label", "text", "subset", "split", "image_id")

_IN_MEMORY = 1 << 18
"""Up to this number of items, the first search reads the columns of all items."""

_ROW_BYTES = 192
"""Bytes that the columns of an item take in memory, with ids of 30 characters."""

_SHARE = 1 / 16
"""Part of the memory that the columns of hits may use."""

_OFTEN = 16
"""After this number of searches, more are expected: the columns of all items are read.

Reading the columns of a million items takes as long as 200 searches that read their hits.
"""


class HitRecords:
    """Columns of the items of a published table, by position."""

    def __init__(self, table: tables.Table, name: str, memory: int = MEMORY) -> None:
        """Read nothing yet.

        Args:
            table: the published table.
            name: name of the data set, the value of the column ``dataset``.
            memory: bytes that a command may use; a part of it is for these columns.
        """
        self._table, self._name = table, name
        self._fits = table.rows <= max(_IN_MEMORY, int(memory * _SHARE) // _ROW_BYTES)
        self._searches = 0 if table.rows > _IN_MEMORY else _OFTEN

    def at(self, rows: Int64Array) -> pl.DataFrame:
        """Return item_id, label, text, subset, split, path and dataset of ``rows``."""
        self._searches += 1
        if not self._fits or self._searches <= _OFTEN:
            return self._named(tables.read_at(self._table, rows.tolist(), _SHOWN))
        # DataFrame.gather waits for threads while those of the index still spin: on a busy
        # machine one query in ten took 10 ms more. Gathering a struct uses a single thread.
        # A key in brackets is answered at once, gather() by a query plan: 0.1 ms more.
        return self._records[pl.Series(rows)].struct.unnest()

    def warm(self) -> None:
        """Read the columns of all items now, if they fit into their part of the memory."""
        if self._fits:
            self._searches = _OFTEN
            _ = self._records

    @cached_property
    def _records(self) -> pl.Series:
        return self._named(self._table.read(_SHOWN)).rechunk().to_struct("hits")

    def _named(self, items: pl.DataFrame) -> pl.DataFrame:
        shown = items.rename({"image_id": "path"})
        return shown.with_columns(pl.lit(self._name).alias("dataset"))
