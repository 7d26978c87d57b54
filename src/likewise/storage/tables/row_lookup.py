"""Look up rows of a table by the values of a text column, in little memory."""

import secrets

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.formats.array_types import Int64Array
from likewise.storage.tables.opening import BATCH
from likewise.storage.tables.row_index import NO_ROW
from likewise.storage.tables.table import Table

_TRIES = 3

Hashes = npt.NDArray[np.uint64]


class RowLookup:
    """The row of each value of a text column; 24 bytes per row.

    A value is recognised by 128 bits of hash. The seeds are secret and differ in every process,
    so nobody can make values that collide.
    """

    def __init__(self, table: Table, column: str) -> None:
        """Read the column; its values must be unique.

        Raises:
            DataError: a value occurs twice.
        """
        for _ in range(_TRIES):  # a collision of 64 bits is improbable, yet possible
            self._seeds = secrets.randbits(64), secrets.randbits(64)
            pairs = [self._hash(_texts(batch)) for batch in table.scan([column])]
            first = _joined([pair[0] for pair in pairs])
            order = np.argsort(first, kind="stable")
            self._first, self._rows = first[order], order
            if not (self._first[1:] == self._first[:-1]).any():
                self._second = _joined([pair[1] for pair in pairs])[order]
                return
        raise DataError(f"{table.path.name}: values of {column} occur twice")

    def rows(self, values: pl.Series) -> Int64Array:
        """Return the row (n,) of each value; -1 if the table does not have it."""
        if not len(self._first):
            return np.full(len(values), NO_ROW)
        first, second = self._hash(values)
        place = np.minimum(np.searchsorted(self._first, first), len(self._first) - 1)
        match = (self._first[place] == first) & (self._second[place] == second)
        return np.where(match, self._rows[place], NO_ROW)

    def _hash(self, texts: pl.Series) -> tuple[Hashes, Hashes]:
        one, other = (texts.hash(seed).to_numpy() for seed in self._seeds)
        return one, other


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


def _texts(batch: object) -> pl.Series:
    return pl.Series(pl.DataFrame(pl.from_arrow(batch)).to_series())


def _joined(parts: list[Hashes]) -> Hashes:
    return np.concatenate([np.empty(0, np.uint64), *parts])
