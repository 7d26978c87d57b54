"""An index over an earlier version of a column, completed by exact search of what is new."""

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors, settle_ties
from likewise.retrieval.indexes.exact import ExactSearch


class CompletedIndex(BuiltIndex):
    """What an index knows of a column, and the rows that it does not know."""

    def __init__(
        self, inner: BuiltIndex, places: Int64Array, uncovered: Int64Array, vectors: Vectors
    ) -> None:
        """Complete ``inner``.

        Args:
            inner: an index over earlier rows.
            places: (earlier rows,) where each stands now; -1 for one that is gone.
            uncovered: the rows of ``vectors`` that are none of these.
            vectors: the column as it is now.
        """
        self._inner = inner
        self._places = places
        self._uncovered = uncovered
        self._rows = vectors.rows
        self._rest = ExactSearch(vectors.take(uncovered.tolist()))

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """The ``k`` rows found nearest to each query, earlier and new; see ``BuiltIndex``."""
        there = self._places >= 0
        known = there if allowed is None else there & allowed[self._places]
        scores, rows = self._inner.search(queries, k, None if known.all() else known)
        rows = np.where(rows == NONE, NONE, self._places[rows])
        rest = None if allowed is None else allowed[self._uncovered]
        more, places = self._rest.search(queries, k, rest)
        new = np.where(places == NONE, NONE, self._uncovered[places])
        found = settle_ties(
            np.concatenate([scores, more], axis=1), np.concatenate([rows, new], axis=1)
        )
        width = min(k, self._rows)
        return found[0][:, :width], found[1][:, :width]


def earlier_vectors(vectors: Vectors, places: Int64Array) -> Vectors:
    """The vectors of earlier rows, now in ``places``; any vector for a row that is gone."""
    rows = np.maximum(places, 0)
    return Vectors(
        len(rows),
        vectors.dim,
        lambda: vectors.read()[rows],
        lambda chosen: vectors.take(rows[list(chosen)].tolist()),
    )
