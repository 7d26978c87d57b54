"""Find rows of a table by the texts of a key column."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.formats.array_types import Int64Array
from likewise.formats.progress_note import progress_note
from likewise.storage.tables.opening import BATCH
from likewise.storage.tables.table import Table

NO_ROW = -1
"""The position of a key that the table does not have."""

_SHARE = 8
"""If more than one in ``_SHARE`` rows is wanted, whole columns are read."""

_TRIES = 3

_Hashes: TypeAlias = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Sorted:
    """The hashes of all keys, in the order of the first, and the rows of the keys."""

    first: _Hashes
    second: _Hashes
    rows: npt.NDArray[np.int32]
    seeds: tuple[int, int]


class RowIndex:
    """Positions of rows by their key, such as ``item_id``; keys are unique.

    The first look-up reads the column block by block and keeps 20 bytes per row: two hashes of
    each key, sorted, and the position of its row. Later ones read nothing, so their time does
    not depend on the size of the table. A key is recognised by 128 bits of hash; the seeds are
    secret and differ in every process, so nobody can make keys that collide. Several threads
    may use an object.
    """

    def __init__(self, table: Table, column: str) -> None:
        """Read nothing yet.

        Args:
            table: the table.
            column: a text column.
        """
        self._table, self._column = table, column
        self._lock = Lock()
        self._sorted: _Sorted | None = None

    def positions(self, keys: Sequence[str] | pl.Series) -> Int64Array:
        """Return the positions (keys,) of the rows with these keys; ``NO_ROW`` for others.

        Raises:
            DataError: a key of the table occurs twice.
        """
        if not len(keys) or not self._table.rows:
            return np.full(len(keys), NO_ROW)
        index = self._read()
        wanted = pl.Series("key", keys, dtype=pl.String)
        first, second = _hashes(wanted, index.seeds)
        place = np.minimum(np.searchsorted(index.first, first), len(index.first) - 1)
        match = (index.first[place] == first) & (index.second[place] == second)
        if wanted.null_count():
            match &= wanted.is_not_null().to_numpy()
        return np.where(match, index.rows[place], NO_ROW)

    def warm(self) -> None:
        """Read the column now, not at the first look-up."""
        self._read()

    def _read(self) -> _Sorted:
        """Return the sorted hashes; they are computed once.

        Raises:
            DataError: a key occurs twice.
        """
        with self._lock:
            if self._sorted is None:
                with progress_note(f"read {self._column} of {self._table.path.stem}"):
                    self._sorted = self._sort()
            return self._sorted

    def _sort(self) -> _Sorted:
        for _ in range(_TRIES):  # a collision of 64 bits is improbable, yet possible
            seeds = secrets.randbits(64), secrets.randbits(64)
            pairs = [_hashes(part, seeds) for part in self._parts()]
            first = _joined([pair[0] for pair in pairs])
            order = np.argsort(first, kind="stable").astype(np.int32)
            first = first[order]
            if not (first[1:] == first[:-1]).any():
                return _Sorted(first, _joined([pair[1] for pair in pairs])[order], order, seeds)
        raise DataError(f"{self._table.path.name}: values of {self._column} occur twice")

    def _parts(self) -> Iterator[pl.Series]:
        for batch in self._table.scan([self._column]):
            column: Any = batch.column(0)
            yield pl.Series(pl.from_arrow(column))


def read_at(table: Table, positions: Sequence[int], columns: Sequence[str]) -> pl.DataFrame:
    """Read ``columns`` of the rows at ``positions``, in that order; a row may occur twice."""
    if len(positions) * _SHARE > table.rows:
        return table.read(columns)[list(positions)]
    return pl.DataFrame(pl.from_arrow(table.take(positions, columns)))


def take_frame(table: Table, rows: Int64Array, columns: list[str]) -> pl.DataFrame:
    """Return columns of some rows, in the order given; all null for the row -1.

    Rows are read in the table's order, in which neighbours share pages.
    """
    distinct, inverse = np.unique(rows[rows != NO_ROW], return_inverse=True)
    parts = [
        pl.DataFrame(pl.from_arrow(table.take(distinct[at : at + BATCH].tolist(), columns)))
        for at in range(0, max(len(distinct), 1), BATCH)
    ]
    places = np.full(len(rows), -1)
    places[rows != NO_ROW] = inverse
    index = pl.Series(places).replace(-1, None) if (places < 0).any() else pl.Series(places)
    return pl.concat(parts).select(pl.all().gather(index))


def _hashes(keys: pl.Series, seeds: tuple[int, int]) -> tuple[_Hashes, _Hashes]:
    """Return two hashes of each key, by one call of polars."""
    key = pl.col("key")
    both = keys.alias("key").to_frame().select(a=key.hash(seeds[0]), b=key.hash(seeds[1]))
    return both["a"].to_numpy(), both["b"].to_numpy()


def _joined(parts: list[_Hashes]) -> _Hashes:
    return np.concatenate([np.empty(0, np.uint64), *parts])
