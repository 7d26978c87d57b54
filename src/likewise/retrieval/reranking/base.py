"""Base classes of re-rankers, which improve the result of a search by its neighbours."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pydantic import Field

from likewise.evaluation.ranking.from_vectors import thread_count
from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float32Array, Float64Array, Int64Array
from likewise.registry import Part
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.searched_gallery import Gallery

_TOGETHER = 64
"""Number of queries whose neighbours are searched at once."""


class Reranker(Part, ABC):
    """A kind of re-ranking; its fields are its options.

    The result for a query depends on the query and on the gallery only: neither on other
    queries nor on the number of threads.
    """

    @property
    @abstractmethod
    def depth(self) -> int:
        """Number of first hits that get new scores; 0: all of them, by a second search."""

    def expand(self, queries: QueryBatch, gallery: Gallery) -> Float32Array:
        """Return the vectors (q, d) of the second search; by default those of the queries."""
        return queries.vectors

    @abstractmethod
    def rescore(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> Float32Array:
        """Return new scores (q, t) of the first hits; greater is better.

        Args:
            queries: the queries.
            rows: (q, t) their first hits, best first; -1 fills.
            gallery: the gallery of the search.
        """


class QueryExpansion(Reranker):
    """A re-ranker that searches again by other query vectors."""

    @property
    def depth(self) -> int:
        """Number of first hits that get new scores: all."""
        return 0

    @abstractmethod
    def expand(self, queries: QueryBatch, gallery: Gallery) -> Float32Array:
        """Return the vectors (q, d) of the second search."""

    def rescore(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> Float32Array:
        """Return the cosines of the expanded queries and the hits."""
        expanded = self.expand(queries, gallery)
        scores = np.full(rows.shape, -np.inf, np.float32)
        for number, hits in enumerate(rows):
            valid = hits != NONE
            scores[number, valid] = gallery.take(hits[valid]) @ expanded[number]
        return scores


class FirstHits(Reranker):
    """A re-ranker of the first hits of a list.

    Attributes:
        top: number of first hits that are re-ranked; the others keep their order behind them.
    """

    top: int = Field(default=400, ge=1)

    @property
    def depth(self) -> int:
        """Number of first hits that get new scores."""
        return self.top


class ListReranker(FirstHits):
    """A re-ranker of the first hits of one query at a time, by its vector."""

    def rescore(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> Float32Array:
        """Return new scores (q, t) of the first hits; see ``Reranker.rescore``."""
        from threadpoolctl import threadpool_limits

        scores = np.full(rows.shape, -np.inf, np.float32)

        def score(number: int) -> None:
            valid = rows[number] != NONE
            gone = queries.excluded[number]
            scores[number, valid] = self.scores_of(
                unit(queries.vectors[number].astype(np.float64)),
                rows[number, valid],
                gone[gone != NONE],
                gallery,
            )

        for start in range(0, len(rows), _TOGETHER):
            chosen = slice(start, start + _TOGETHER)
            self.prepare(queries.part(chosen), rows[chosen], gallery)
            numbers = range(start, min(start + _TOGETHER, len(rows)))
            with (
                ThreadPoolExecutor(thread_count()) as pool,
                threadpool_limits(1, "blas"),
            ):
                list(pool.map(score, numbers))
        return scores

    def prepare(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> None:
        """Search the neighbours that some queries need, all at once.

        Args:
            queries: the queries.
            rows: (q, t) their first hits; -1 fills.
            gallery: the gallery, which keeps the neighbours.
        """

    @abstractmethod
    def scores_of(
        self, query: Float64Array, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> Float64Array:
        """Return new scores (t,) of the first hits of one query; greater is better.

        Args:
            query: (d,) vector of the query, of length 1.
            rows: (t,) its first hits, best first.
            excluded: (e,) rows that the search leaves out.
            gallery: the gallery of the search.
        """


def prepare_lists(
    gallery: Gallery, rows: Int64Array, neighbours: int, queries: QueryBatch
) -> None:
    """Search the neighbours of all first hits ``rows`` (q, t) at once."""
    depth = neighbours + queries.excluded.shape[1]
    gallery.lists(depth).of(np.unique(rows[rows != NONE]))


def unit(vectors: Float64Array) -> Float64Array:
    """Return vectors (..., d) divided by their lengths; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Float64Array = vectors / np.where(lengths > 0, lengths, 1)
    return scaled
