"""Nearest neighbours of gallery items: a graph that is computed where it is needed."""

from collections.abc import Callable
from threading import Lock

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.retrieval.indexes.base import NONE

Search = Callable[[Float32Array, int], tuple[Float32Array, Int64Array]]
"""Function from vectors (q, d) and a number k to scores and gallery rows, (q, k) each."""

_SEARCHED = 8192
"""Number of items whose neighbours are searched at once."""

_ENTRY = 8
"""Bytes of a neighbour: its row as int32, and its score."""


class NeighbourLists:
    """The nearest other items of gallery items, best first; those searched before are kept.

    Lists are kept up to a number of bytes. If more are needed, all are discarded and searched
    again, which changes no result.
    """

    def __init__(
        self,
        take: Callable[[Int64Array], Float32Array],
        search: Search,
        rows: int,
        depth: int,
        memory: int,
    ) -> None:
        """Keep at most ``memory`` bytes of lists.

        Args:
            take: returns the vectors of some rows.
            search: searches the gallery.
            rows: number of rows of the table.
            depth: length of a list.
            memory: bytes for lists.
        """
        self.depth = depth
        self._take, self._search = take, search
        self.most = max(1, min(rows, memory // (_ENTRY * max(depth, 1))))
        self._slots = np.full(rows, NONE, np.int32)
        self._rows = np.empty((0, depth), np.int32)
        self._scores = np.empty((0, depth), np.float32)
        self._filled = 0
        self._lock = Lock()

    def of(self, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
        """Return scores and rows (len(rows), depth) of the items nearest to each of ``rows``.

        The item itself is not in its list. -inf and -1 fill the lists of a small gallery.
        """
        with self._lock:
            known = self._slots[rows] != NONE
            if known.all():
                slots = self._slots[rows]
                return self._scores[slots], self._rows[slots].astype(np.int64)
            wanted = np.unique(rows)
            if len(wanted) > self.most:
                return self._searched(rows)
            self._add(wanted)
            slots = self._slots[rows]
            return self._scores[slots], self._rows[slots].astype(np.int64)

    def _add(self, wanted: Int64Array) -> None:
        """Search and keep the lists of those of ``wanted`` that are not kept."""
        new = wanted[self._slots[wanted] == NONE]
        if self._filled + len(new) > self.most:
            self._slots[:] = NONE
            self._filled, new = 0, wanted
        end = self._filled + len(new)
        if end > len(self._rows):
            self._grow(min(self.most, max(end, 2 * len(self._rows))))
        self._scores[self._filled : end], self._rows[self._filled : end] = self._searched(new)
        self._slots[new] = np.arange(self._filled, end)
        self._filled = end

    def _grow(self, size: int) -> None:
        more = size - len(self._rows)
        self._rows = np.vstack([self._rows, np.empty((more, self.depth), np.int32)])
        self._scores = np.vstack([self._scores, np.empty((more, self.depth), np.float32)])

    def _searched(self, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
        """Search the neighbours of ``rows``."""
        scores = np.full((len(rows), self.depth), -np.inf, np.float32)
        near = np.full((len(rows), self.depth), NONE, np.int64)
        for start in range(0, len(rows), _SEARCHED):
            part = slice(start, start + _SEARCHED)
            results = self._search(self._take(rows[part]), self.depth + 1)
            width = min(results[1].shape[1], self.depth)
            own_scores, own_rows = without_rows(*results, rows[part][:, None])
            scores[part, :width] = own_scores[:, :width]
            near[part, :width] = own_rows[:, :width]
        return scores, near


def without_rows(
    scores: Float32Array, rows: Int64Array, excluded: Int64Array
) -> tuple[Float32Array, Int64Array]:
    """Remove excluded rows (q, e) from lists (q, k); -inf and -1 fill their ends."""
    gone = (rows == NONE) | (rows[:, :, None] == excluded[:, None, :]).any(axis=2)
    order = np.argsort(gone, axis=1, kind="stable")
    gone = np.take_along_axis(gone, order, 1)
    kept_scores = np.where(gone, np.float32(-np.inf), np.take_along_axis(scores, order, 1))
    return kept_scores, np.where(gone, NONE, np.take_along_axis(rows, order, 1))
