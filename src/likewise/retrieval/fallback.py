"""An index that returns the requested number of results, or all results if there are fewer."""

from functools import cached_property

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors


class IndexWithFallback(BuiltIndex):
    """An index whose short answers are replaced by those of an exact search.

    An approximate index visits a part of the vectors, which may hold fewer than the requested
    number of allowed ones although there are more. Evaluations use the index itself, because
    they measure it.
    """

    def __init__(self, built: BuiltIndex, vectors: Vectors) -> None:
        """Complete the index ``built`` over ``vectors``."""
        self._built, self._vectors = built, vectors

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """See ``BuiltIndex.search``; results are missing only if fewer than ``k`` exist."""
        scores, rows = self._built.search(queries, k, allowed)
        if not (rows == NONE).any() or self._built.is_exact(allowed):
            return scores, rows
        available = self._vectors.rows if allowed is None else int(np.count_nonzero(allowed))
        short = (rows != NONE).sum(axis=1) < min(k, available)
        if short.any():
            scores[short], rows[short] = self._exact.search(queries[short], k, allowed)
        return scores, rows

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """See ``BuiltIndex.is_exact``."""
        return self._built.is_exact(allowed)

    @cached_property
    def _exact(self) -> BuiltIndex:
        return INDEXES.build({"kind": EXACT}, "exact search").build(self._vectors)
