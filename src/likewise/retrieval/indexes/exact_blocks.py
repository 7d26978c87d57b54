"""Exact search of more vectors than are converted at once, block by block."""

from collections.abc import Iterator

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes.base import NONE, BuiltIndex, empty_results
from likewise.retrieval.indexes.exact_search import ExactSearch, Metric
from likewise.retrieval.indexes.selected_rows import SelectedRows, merge_results

_BLOCK_BYTES = 64 << 20
"""Bytes of a block as float32."""

_WIDE_BYTES = 1 << 30
"""Up to this size the blocks are kept as float32: converting float16 vectors costs 15 times as
much as comparing them.
"""

_WIDE_SHARE, _KEPT_SHARE = 1 / 4, 1 / 2
"""Parts of the memory that vectors may use as float32, and as they are stored."""


class ExactBlocks(BuiltIndex):
    """Exact search block by block; a first search reads the vectors once.

    The blocks stay in memory as float32, or as they are stored, or are read again at each
    search: what the memory allows. Every block scores its candidates in float64, so the result
    does not depend on the blocks.
    """

    def __init__(self, stored: VectorBlocks, metric: Metric = "dot") -> None:
        """Search the vectors ``stored``; nothing is read yet."""
        wide = stored.rows * stored.dim * 4
        self._stored, self._metric = stored, metric
        self._rows = max(1, _BLOCK_BYTES // (4 * max(1, stored.dim)))
        self._wide = wide <= min(_WIDE_BYTES, stored.memory * _WIDE_SHARE)
        self._keep = self._wide or stored.nbytes <= stored.memory * _KEPT_SHARE
        self._selected = SelectedRows(self._take, stored.dim, metric)
        self._kept: list[FloatArray] | None = None
        self._squares: list[Float32Array] | None = None

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows nearest to each query; see ``BuiltIndex.search``."""
        width = min(k, self._stored.rows)
        best = empty_results(len(queries), width)
        if allowed is not None and self._selected.suits(allowed):
            return self._selected.search(queries, k, allowed)
        for start, block in self._searches(allowed):
            mask = None if allowed is None else allowed[start : start + len(block.squares)]
            scores, rows = block.search(queries, width, mask)
            best = merge_results(best, scores, np.where(rows == NONE, NONE, rows + start))
        return best

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True: all rows are compared."""
        return True

    def _take(self, rows: Int64Array) -> FloatArray:
        """Return some vectors, from the memory if they are kept there."""
        if self._kept is None:
            return self._stored.take(rows)
        out = np.empty((len(rows), self._stored.dim), self._kept[0].dtype)
        block, place = np.divmod(rows, self._rows)
        for number in np.unique(block).tolist():
            mask = block == number
            out[mask] = self._kept[number][place[mask]]
        return out

    def _searches(self, allowed: BoolArray | None) -> Iterator[tuple[int, ExactSearch]]:
        """Yield the first row and the search of each block that has allowed rows."""
        squares: list[Float32Array] = []
        kept: list[FloatArray] = []
        start = 0
        for number, block in enumerate(self._blocks()):
            known = self._squares[number] if self._squares else None
            mask = None if allowed is None else allowed[start : start + len(block)]
            if known is None or mask is None or mask.any():
                search = self._search_of(block, known, mask)
                if self._squares is None:
                    squares.append(search.squares)
                if self._kept is None and self._keep:
                    kept.append(search.gallery if self._wide else block.copy())
                yield start, search
            start += len(block)
        self._squares = self._squares or squares
        self._kept = self._kept or kept or None

    def _search_of(
        self, block: FloatArray, known: Float32Array | None, mask: BoolArray | None
    ) -> ExactSearch:
        """Return the search of a block, as float32 unless only few of its rows are compared."""
        few = known is not None and mask is not None and np.count_nonzero(mask) < len(mask) / 4
        if not few:
            block = block.astype(np.float32, copy=self._kept is None and self._wide)
        return ExactSearch(block, self._metric, known)

    def _blocks(self) -> Iterator[FloatArray]:
        return iter(self._kept) if self._kept else self._stored.blocks(self._rows)
