"""An index of an earlier version of a column, completed by exact search of the new rows."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors, settle_ties
from likewise.retrieval.indexes.exact_search import ExactSearch
from likewise.storage import tables


class CompletedIndex(BuiltIndex):
    """An index of earlier rows, with exact search of the rows that it does not cover."""

    def __init__(
        self,
        earlier: BuiltIndex,
        positions: Int64Array,
        uncovered: Int64Array,
        vectors: Vectors,
    ) -> None:
        """Complete an index of earlier rows.

        Args:
            earlier: the index of the earlier rows.
            positions: (earlier rows,) present row of each earlier row; -1 if it was removed.
            uncovered: rows of ``vectors`` that are not in the index.
            vectors: the present column.
        """
        self._earlier = earlier
        self._positions = positions
        self._uncovered = uncovered
        self._rows = vectors.rows
        self._exact = ExactSearch(vectors.take(uncovered.tolist()))

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows nearest to each query, earlier and new; see ``BuiltIndex``."""
        present = self._positions >= 0
        valid = present if allowed is None else present & allowed[self._positions]
        old_scores, old_rows = self._earlier.search(queries, k, None if valid.all() else valid)
        old_rows = np.where(old_rows == NONE, NONE, self._positions[old_rows])
        uncovered = None if allowed is None else allowed[self._uncovered]
        new_scores, new_rows = self._exact.search(queries, k, uncovered)
        new_rows = np.where(new_rows == NONE, NONE, self._uncovered[new_rows])
        scores, rows = settle_ties(
            np.concatenate([old_scores, new_scores], axis=1),
            np.concatenate([old_rows, new_rows], axis=1),
        )
        width = min(k, self._rows)
        return scores[:, :width], rows[:, :width]

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True if the earlier index compares all rows too."""
        if allowed is None:
            return self._earlier.is_exact()
        return self._earlier.is_exact((self._positions >= 0) & allowed[self._positions])


def earlier_vectors(vectors: Vectors, positions: Int64Array) -> Vectors:
    """Return the vectors of earlier rows, now at ``positions``; row 0 for removed ones (-1)."""
    rows, stored = np.maximum(positions, 0), vectors.stored

    def read() -> Iterator[FloatArray]:
        for start in range(0, len(rows), tables.BATCH):
            yield stored.take(rows[start : start + tables.BATCH])

    def take(chosen: Int64Array) -> FloatArray:
        return stored.take(rows[chosen])

    return Vectors(replace(stored, rows=len(rows), read=read, take=take))
