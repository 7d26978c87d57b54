"""The gallery that a re-ranker reads: its vectors, an index over them, their neighbours."""

import numpy as np

from likewise.formats.array_types import (
    BoolArray,
    Float32Array,
    Float64Array,
    FloatArray,
    Int64Array,
)
from likewise.formats.unit_vectors import unit_vectors
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes.base import NONE, BuiltIndex
from likewise.retrieval.reranking.local_features import GalleryPictures
from likewise.retrieval.reranking.neighbours import NeighbourLists, without_rows

_LISTS_SHARE, _VECTORS_SHARE = 1 / 8, 1 / 4
"""Parts of the memory that lists of neighbours, and vectors in memory, may use."""

_FEW_SHARE = 1 / 8
"""Share of the vectors that are read row by row before all are read at once."""


class Gallery:
    """The items that a search ranks, as a re-ranker reads them.

    Rows are those of the index. Vectors have length 1.
    """

    def __init__(
        self,
        vectors: VectorBlocks,
        index: BuiltIndex,
        allowed: BoolArray | None = None,
        pictures: GalleryPictures | None = None,
    ) -> None:
        """Read the gallery of a search.

        Args:
            vectors: the vectors of all rows of the index.
            index: the index of the search, which also finds the neighbours of items.
            allowed: (n,) mask of the rows that the search ranks; None for all.
            pictures: the images of the items, for re-rankers that compare them.
        """
        self.pictures = pictures
        self._stored, self._index, self._allowed = vectors, index, allowed
        self._lists: NeighbourLists | None = None
        self._farthest: NeighbourLists | None = None
        self._array: FloatArray | None = None
        self._taken = 0

    @property
    def size(self) -> int:
        """Number of rows of the index."""
        return self._stored.rows

    def take(self, rows: Int64Array) -> Float32Array:
        """Return the vectors (len(rows), d) of some rows, each of length 1."""
        return unit_vectors(self._read(rows))

    def nearest(
        self, queries: Float32Array, k: int, excluded: Int64Array | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return scores and rows (q, k) of the items nearest to each query.

        Args:
            queries: (q, d).
            k: number of items.
            excluded: (q, e) rows that are left out; -1 fills.
        """
        if excluded is None or not excluded.shape[1]:
            return self._index.search(queries, k, self._allowed)
        scores, rows = self._index.search(queries, k + excluded.shape[1], self._allowed)
        scores, rows = without_rows(scores, rows, excluded)
        return scores[:, :k], rows[:, :k]

    def neighbours(
        self, rows: Int64Array, k: int, excluded: Int64Array | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return scores and rows (len(rows), k) of the other items nearest to each of ``rows``.

        The neighbours are those in a gallery without the rows ``excluded`` (e,). -inf and -1
        fill the lists of a small gallery.
        """
        gone = np.empty(0, np.int64) if excluded is None else excluded
        scores, near = self.lists(k + len(gone)).of(rows)
        if len(gone):
            scores, near = without_rows(scores, near, np.tile(gone, (len(rows), 1)))
        return scores[:, :k], near[:, :k]

    def least_cosines(
        self, rows: Int64Array, excluded: Int64Array | None = None
    ) -> Float64Array:
        """Return the cosines (len(rows),) of items and the items farthest from them.

        The rows ``excluded`` (e,) are left out. A single item has the cosine 1.
        """
        gone = np.empty(0, np.int64) if excluded is None else excluded
        scores, far = self._opposite(1 + len(gone)).of(rows)
        if len(gone):
            scores, far = without_rows(scores, far, np.tile(gone, (len(rows), 1)))
        return np.where(far[:, 0] == NONE, 1.0, -scores[:, 0].astype(np.float64))

    def prepare_farthest(self, rows: Int64Array, excluded: int) -> None:
        """Search the items farthest from ``rows``, at once, for ``excluded`` excluded rows."""
        self._opposite(1 + excluded).of(rows)

    def _opposite(self, depth: int) -> NeighbourLists:
        """Return lists of the items with the least cosines."""
        if self._farthest is None or self._farthest.depth < depth:
            memory = int(self._stored.memory * _LISTS_SHARE)
            self._farthest = NeighbourLists(
                lambda rows: -self.take(rows), self.nearest, self._stored.rows, depth, memory
            )
        return self._farthest

    def lists(self, depth: int) -> NeighbourLists:
        """Return lists of at least ``depth`` neighbours."""
        if self._lists is None or self._lists.depth < depth:
            memory = int(self._stored.memory * _LISTS_SHARE)
            self._lists = NeighbourLists(
                self.take, self.nearest, self._stored.rows, depth, memory
            )
        return self._lists

    def _read(self, rows: Int64Array) -> FloatArray:
        """Return vectors as they are stored; after many rows, all are read and kept."""
        if self._array is None:
            stored = self._stored
            self._taken += len(rows)
            few = self._taken < stored.rows * _FEW_SHARE
            if stored.resident or few or stored.nbytes > stored.memory * _VECTORS_SHARE:
                return stored.take(rows)
            self._array = stored.whole()
        return self._array[rows]
