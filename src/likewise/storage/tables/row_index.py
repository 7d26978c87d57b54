"""Find rows of a table by the texts of a key column."""

import secrets
from collections.abc import Sequence
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.storage.tables.table import Table

NO_ROW = -1
"""The position of a key that the table does not have."""

_SHARE = 8
"""If more than one in ``_SHARE`` rows is wanted, whole columns are read."""


class RowIndex:
    """Positions of rows by their key, such as ``item_id``; keys are unique.

    The first look-up reads the column block by block and keeps 12 bytes per row: a sorted hash
    of each key, and the position of its row. Later ones read only rows with the hash of a
    wanted key, so their time does not depend on the size of the table. Several threads may use
    an object.
    """

    def __init__(self, table: Table, column: str) -> None:
        """Read nothing yet.

        Args:
            table: the table.
            column: a text column.
        """
        self._table, self._column = table, column
        self._lock = Lock()
        self._seed = secrets.randbits(64)  # nobody can make keys whose hashes are equal

    def positions(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the positions (keys,) of the rows with these keys; ``NO_ROW`` for others."""
        wanted = pl.Series("key", keys, dtype=pl.String)
        if len(wanted) * _SHARE > self._table.rows:
            return self._by_reading_all(wanted)
        with self._lock:
            hashes, rows = self._sorted
        hashed = _hashes(wanted, self._seed)
        begins, ends = (np.searchsorted(hashes, hashed, side) for side in ("left", "right"))
        candidates = pl.DataFrame({"key": wanted, "row": np.arange(len(wanted))}).with_columns(
            place=pl.int_ranges(pl.Series(begins), pl.Series(ends))
        )
        # Different keys may have the same hash, so the keys of the candidates are compared.
        places = candidates.explode("place").drop_nulls("place")
        at = rows[places["place"].to_numpy()]
        stored = read_at(self._table, at.tolist(), [self._column])[self._column]
        equal = (stored == places["key"]).to_numpy()
        positions = np.full(len(wanted), NO_ROW, np.int64)
        positions[places["row"].to_numpy()[equal]] = at[equal]
        return positions

    def warm(self) -> None:
        """Read the column now, not at the first look-up."""
        with self._lock:
            _ = self._sorted

    def _by_reading_all(self, wanted: pl.Series) -> npt.NDArray[np.int64]:
        stored = self._table.read([self._column])[self._column].alias("key")
        rows = stored.to_frame().with_row_index("row")
        joined = wanted.to_frame().join(rows, on="key", how="left", maintain_order="left")
        return joined["row"].cast(pl.Int64).fill_null(NO_ROW).to_numpy()

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """Hashes of all keys, ascending, and the positions of their rows."""
        blocks = [
            _hashes(pl.Series(pl.from_arrow(batch.column(0))), self._seed)
            for batch in self._table.scan([self._column])
        ]
        hashes = np.concatenate([np.empty(0, np.uint64), *blocks])
        order = np.argsort(hashes).astype(np.int32)
        return hashes[order], order


def read_at(table: Table, positions: Sequence[int], columns: Sequence[str]) -> pl.DataFrame:
    """Read ``columns`` of the rows at ``positions``, in that order; a row may occur twice."""
    if len(positions) * _SHARE > table.rows:
        return table.read(columns)[list(positions)]
    return pl.DataFrame(pl.from_arrow(table.take(positions, columns)))


def _hashes(keys: pl.Series, seed: int) -> npt.NDArray[np.uint64]:
    hashes: npt.NDArray[np.uint64] = keys.hash(seed).to_numpy()
    return hashes
