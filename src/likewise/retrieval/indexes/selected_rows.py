"""Exact search of the few rows that a filter keeps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.retrieval.indexes.base import NONE, BuiltIndex, empty_results, settle_ties
from likewise.retrieval.indexes.exact_search import ExactSearch, Metric

_SPARSE = 1 / 16
"""Up to this share of allowed rows, only these are read."""

_BLOCK_BYTES = 64 << 20
"""Bytes of a block as float32; rows of one block stay in memory for the next query."""


@dataclass(frozen=True)
class _Selection:
    """The rows that a mask allows; their search, if they are one block."""

    mask: BoolArray
    rows: Int64Array
    search: ExactSearch | None


class SelectedRows(BuiltIndex):
    """Exact search that reads only the rows that a mask allows.

    The rows of the last mask stay in memory if the mask is read-only, as those of a data set
    are: the pages of one search, and many searches, share a filter.
    """

    def __init__(
        self, take: Callable[[Int64Array], FloatArray], dim: int, metric: Metric = "dot"
    ) -> None:
        """Search the vectors (rows, ``dim``) that ``take`` returns for row numbers."""
        self._take, self._metric = take, metric
        self._step = max(1, _BLOCK_BYTES // (4 * max(1, dim)))
        self._last: _Selection | None = None

    def suits(self, allowed: BoolArray) -> bool:
        """Return True if a mask allows so few rows that only these should be read."""
        if self._last is not None and self._last.mask is allowed:
            return True
        return bool(np.count_nonzero(allowed) <= len(allowed) * _SPARSE)

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows nearest to each query; ``allowed`` is needed."""
        if allowed is None:
            raise ValueError("expected a mask of the allowed rows")
        selection = self._selection(allowed)
        best = empty_results(len(queries), min(k, len(allowed)))
        width = best[0].shape[1]
        if selection.search is not None:  # one block: its results are in order
            scores, rows = selection.search.search(queries, width)
            columns = scores.shape[1]
            best[0][:, :columns] = scores
            best[1][:, :columns] = np.where(rows == NONE, NONE, selection.rows[rows])
            return best
        for start in range(0, len(selection.rows), self._step):
            chosen = selection.rows[start : start + self._step]
            scores, rows = self._search_of(chosen).search(queries, width)
            best = merge_results(best, scores, np.where(rows == NONE, NONE, chosen[rows]))
        return best

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True: all rows are compared."""
        return True

    def _selection(self, allowed: BoolArray) -> _Selection:
        last = self._last
        if last is not None and last.mask is allowed:
            return last
        rows = np.flatnonzero(allowed)
        one = not allowed.flags.writeable and 0 < len(rows) <= self._step
        selection = _Selection(allowed, rows, self._search_of(rows) if one else None)
        self._last = selection if one else None
        return selection

    def _search_of(self, rows: Int64Array) -> ExactSearch:
        return ExactSearch(self._take(rows).astype(np.float32, copy=False), self._metric)


def merge_results(
    best: tuple[Float32Array, Int64Array], scores: Float32Array, rows: Int64Array
) -> tuple[Float32Array, Int64Array]:
    """Merge results (q, c) of other rows into the best results (q, k) so far."""
    width = best[0].shape[1]
    scores, rows = settle_ties(
        np.concatenate([best[0], scores], axis=1), np.concatenate([best[1], rows], axis=1)
    )
    return scores[:, :width], rows[:, :width]
