"""Exact search: compare every vector, block by block."""

from pathlib import Path

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.retrieval.indexes.base import BuiltIndex, Index, Vectors
from likewise.retrieval.indexes.exact_blocks import ExactBlocks
from likewise.retrieval.indexes.exact_search import ExactSearch, Metric
from likewise.retrieval.indexes.selected_rows import SelectedRows

# Up to this size all vectors are read and converted to float32 at once; more are searched block
# by block, so the first search needs one pass.
_WHOLE_BYTES = 256 << 20


class Exact(Index):
    """Exact nearest neighbours.

    The score of a row depends neither on its position nor on the other queries, because all
    candidates for the first k are scored again in float64. Identical vectors therefore have
    identical scores.

    Attributes:
        metric: ``dot`` is the inner product: the cosine of published vectors, which have
            length 1. ``cosine`` also divides by the length of the stored vector, which half
            precision rounds. ``l2`` is the negative squared distance.
    """

    metric: Metric = "dot"

    def build(self, vectors: Vectors, cache: Path | None = None) -> BuiltIndex:
        """Read the vectors, or search them in blocks if they are many; no ``cache`` is used."""
        if vectors.rows * vectors.dim * 4 > _WHOLE_BYTES:
            return ExactBlocks(vectors.stored, self.metric)
        return ExactWhole(vectors.read().astype(np.float32, copy=False), self.metric)


class ExactWhole(BuiltIndex):
    """Exact search of vectors in memory, with the rows of a narrow filter side by side."""

    def __init__(self, gallery: Float32Array, metric: Metric) -> None:
        """Keep the vectors (n, d)."""
        self._whole = ExactSearch(gallery, metric)
        self._selected = SelectedRows(lambda rows: gallery[rows], gallery.shape[1], metric)

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows nearest to each query; see ``BuiltIndex.search``."""
        if allowed is not None and self._selected.suits(allowed):
            return self._selected.search(queries, k, allowed)
        return self._whole.search(queries, k, allowed)

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True: all rows are compared."""
        return True
