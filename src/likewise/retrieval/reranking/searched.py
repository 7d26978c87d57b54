"""Re-ranked results of searches, as rankings that grow on demand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes.base import NONE, BuiltIndex
from likewise.retrieval.reranking.applied import AppliedReranker
from likewise.retrieval.reranking.local_features import GalleryPictures
from likewise.retrieval.reranking.named import check_depth, named_reranker
from likewise.retrieval.reranking.searched_gallery import Gallery
from likewise.retrieval.search_query import DEFAULT_K, Query, query_pictures
from likewise.storage.config import Params


class RerankedLists:
    """The re-ranked lists of some queries; deeper lists are searched when they are needed."""

    def __init__(self, reranker: AppliedReranker, queries: QueryBatch, depth: int) -> None:
        """Search all queries to ``depth``, or to the depth of the re-ranker."""
        self._reranker, self._queries = reranker, queries
        self._depth = reranker.top or depth
        self._scores, self._rows = reranker.search(queries, self._depth)

    def best(self, number: int, depth: int) -> tuple[Float32Array, Int64Array]:
        """Return scores and rows of at most ``depth`` best hits of a query."""
        scores, rows = self._scores[number], self._rows[number]
        if depth > self._depth and not self._reranker.top:
            part = self._queries.part(slice(number, number + 1))
            (scores,), (rows,) = self._reranker.search(part, depth)
        valid = rows[:depth] != NONE
        return scores[:depth][valid], rows[:depth][valid]


class SearchReranking:
    """The re-rankers of the searches of one index; the last gallery and its graph are kept."""

    def __init__(
        self,
        params: Params,
        vectors: VectorBlocks,
        index: BuiltIndex,
        pictures: GalleryPictures,
    ) -> None:
        """Search the vectors by ``index``, with the re-rankers of ``params``."""
        self._params, self._vectors, self._index = params, vectors, index
        self._pictures = pictures
        self._last: tuple[str, BoolArray | None, AppliedReranker] | None = None

    def lists(
        self, query: Query, queries: QueryBatch, allowed: BoolArray | None
    ) -> RerankedLists:
        """Search all ``queries`` with the options of ``query``, and re-rank their hits.

        Args:
            query: its options ``rerank``, ``k`` and ``offset`` are used.
            queries: the queries.
            allowed: (n,) mask of the items that may be hits; they are the gallery.

        Raises:
            UnknownNameError: there is no such re-ranker.
            DataError: the search asks for more hits than are re-ranked.
        """
        name = query.rerank or ""
        if self._last is None or self._last[0] != name or self._last[1] is not allowed:
            options = named_reranker(self._params, name)
            gallery = Gallery(self._vectors, self._index, allowed, self._pictures)
            self._last = name, allowed, AppliedReranker(options, gallery)
        reranker = self._last[2]
        check_depth(reranker.options, query)
        if len(query.images) == 1 and len(queries) == 1:
            queries = replace(queries, pictures=query_pictures(query))
        return RerankedLists(reranker, queries, (query.k or DEFAULT_K) + query.offset)


def batch(
    vectors: Float32Array, excluded: Sequence[Sequence[int]], items: Sequence[int]
) -> QueryBatch:
    """Return queries with lists of excluded rows of any lengths."""
    width = max(map(len, excluded), default=0)
    rows = np.full((len(vectors), width), NONE, np.int64)
    for number, own in enumerate(excluded):
        rows[number, : len(own)] = own
    return QueryBatch(vectors, rows, np.asarray(items, np.int64))
