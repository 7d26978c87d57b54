"""Measure the recall and latency of an index against exact search."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.formats.unit_vectors import unit_vectors
from likewise.registry import Part
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors

K = 10
PROBES = 500
TIMED = 50
"""Approximate number of probes that are timed one by one."""
MOST_MS, FEWEST = 10_000, 3
"""After this time no further probe is timed, if this number was."""


class IndexMeasurement(Part):
    """Recall, speed and size of an index.

    Attributes:
        k: number of neighbours per query.
        probes: number of queries; they are items, and never their own neighbours.
        recall: mean share, 0 to 1, of the ``k`` nearest neighbours by exact search that are
            among the first ``k`` of the index.
        ms: median latency of a single query, in milliseconds.
        exact_ms: median latency of a single query by exact search, in milliseconds.
        queries_per_s: throughput of all probes in one batch.
        nbytes: size of the index in memory.
    """

    k: int
    probes: int
    recall: float
    ms: float
    exact_ms: float
    queries_per_s: float
    nbytes: int


class Probes:
    """Queries with their true neighbours."""

    def __init__(self, vectors: Vectors, exact: BuiltIndex, seed: int = 0) -> None:
        """Draw queries from ``vectors`` at random, and find their neighbours by ``exact``."""
        count = min(PROBES, vectors.rows)
        draw = np.random.default_rng(seed).choice(vectors.rows, count, replace=False)
        self.rows: Int64Array = np.sort(draw).astype(np.int64)
        self.queries: Float32Array = unit_vectors(vectors.take(self.rows.tolist()))
        self._exact = exact
        self._true_neighbours = self._neighbours(exact)
        self._exact_ms = self._latency(exact)

    def measure(self, built: BuiltIndex, nbytes: int) -> IndexMeasurement:
        """Measure ``built``, whose size in memory is ``nbytes``."""
        start = time.perf_counter()
        neighbours = self._neighbours(built)
        seconds = time.perf_counter() - start
        shares = [
            len(set(a) & set(b)) / len(b)
            for a, b in zip(neighbours, self._true_neighbours, strict=True)
            if len(b)
        ]
        return IndexMeasurement(
            k=K,
            probes=len(self.rows),
            recall=float(np.mean(shares)) if shares else 1.0,
            ms=self._latency(built),
            exact_ms=self._exact_ms,
            queries_per_s=len(self.rows) / max(seconds, 1e-9),
            nbytes=nbytes,
        )

    def _neighbours(self, built: BuiltIndex) -> list[list[int]]:
        """Return the first ``K`` results of every probe except the probe itself."""
        _, rows = built.search(self.queries, K + 1)
        return [
            [row for row in ranking if row not in (NONE, own)][:K]
            for own, ranking in zip(self.rows.tolist(), rows.tolist(), strict=True)
        ]

    def _latency(self, built: BuiltIndex) -> float:
        step = max(1, len(self.queries) // TIMED)
        built.search(self.queries[:1], K)  # one-time work of a first query
        took: list[float] = []
        for query in self.queries[::step]:
            took.append(_milliseconds(lambda query=query: built.search(query[None, :], K)))  # type: ignore[misc]
            if sum(took) > MOST_MS and len(took) >= FEWEST:
                break
        return median(took)


def _milliseconds(search: Callable[[], object]) -> float:
    start = time.perf_counter()
    search()
    return 1000 * (time.perf_counter() - start)
