"""How good an index is: its recall and its latency, beside exact search."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.registry import Part
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors

K = 10
PROBES = 500
TIMED = 50
"""So many of the probes are asked one by one, with a clock."""


class IndexMeasurement(Part):
    """What a set of probes said of an index.

    ``recall`` is the mean share, 0 to 1, of the ``k`` nearest by exact search that the index
    finds among its first ``k``; the probes are items, each without itself. ``ms`` and
    ``exact_ms`` are medians of one query in milliseconds, ``queries_per_s`` is of all probes
    at once, ``nbytes`` is what the index holds in memory.
    """

    k: int
    probes: int
    recall: float
    ms: float
    exact_ms: float
    queries_per_s: float
    nbytes: int


class Probes:
    """Queries whose true neighbours are known."""

    def __init__(self, vectors: Vectors, exact: BuiltIndex, seed: int = 0) -> None:
        """Draw them from ``vectors`` at random, and ask ``exact`` for their neighbours."""
        count = min(PROBES, vectors.rows)
        draw = np.random.default_rng(seed).choice(vectors.rows, count, replace=False)
        self.rows: Int64Array = np.sort(draw).astype(np.int64)
        taken = vectors.take(self.rows.tolist()).astype(np.float32)
        self.queries: Float32Array = taken / np.linalg.norm(taken, axis=1, keepdims=True)
        self._exact = exact
        self._wanted = self._neighbours(exact)
        self._exact_ms = self._latency(exact)

    def measure(self, built: BuiltIndex, nbytes: int) -> IndexMeasurement:
        """What they say of ``built``."""
        began = time.perf_counter()
        found = self._neighbours(built)
        took = time.perf_counter() - began
        shares = [
            len(set(a) & set(b)) / len(b)
            for a, b in zip(found, self._wanted, strict=True)
            if len(b)
        ]
        return IndexMeasurement(
            k=K,
            probes=len(self.rows),
            recall=float(np.mean(shares)) if shares else 1.0,
            ms=self._latency(built),
            exact_ms=self._exact_ms,
            queries_per_s=len(self.rows) / max(took, 1e-9),
            nbytes=nbytes,
        )

    def _neighbours(self, built: BuiltIndex) -> list[list[int]]:
        """The first ``K`` of every probe but itself."""
        _, rows = built.search(self.queries, K + 1)
        return [
            [row for row in found if row not in (NONE, own)][:K]
            for own, found in zip(self.rows.tolist(), rows.tolist(), strict=True)
        ]

    def _latency(self, built: BuiltIndex) -> float:
        step = max(1, len(self.queries) // TIMED)
        built.search(self.queries[:1], K)  # whatever a first query alone has to do
        return median(
            _milliseconds(lambda query=query: built.search(query[None, :], K))  # type: ignore[misc]
            for query in self.queries[::step]
        )


def _milliseconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - began)
