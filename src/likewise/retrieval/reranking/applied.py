"""Re-rankers of one gallery, for evaluations and searches."""

from dataclasses import dataclass, replace

import numpy as np

from likewise.evaluation.ranking.reranking import (
    GalleryReranker,
    QueryBatch,
    RerankGallery,
    new_order,
)
from likewise.formats.array_types import Float32Array, Int64Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import NONE, Vectors
from likewise.retrieval.reranking.base import Reranker
from likewise.retrieval.reranking.local_features import GalleryPictures, ImagesAt
from likewise.retrieval.reranking.searched_gallery import Gallery

_INDEX_SHARE = 1 / 4
"""Part of the memory that exact search of a gallery may use."""


@dataclass(frozen=True)
class AppliedReranker(GalleryReranker):
    """A re-ranker and the gallery that it reads."""

    options: Reranker
    gallery: Gallery

    @property
    def top(self) -> int:
        """Number of first hits that get new scores; 0: the gallery is searched again."""
        return self.options.depth

    def expand(self, queries: QueryBatch) -> Float32Array:
        """Return the vectors (q, d) by which the gallery is searched again."""
        return self.options.expand(queries, self.gallery)

    def rescore(self, queries: QueryBatch, rows: Int64Array) -> Float32Array:
        """Return new scores (q, t) of the first hits ``rows``."""
        return self.options.rescore(queries, rows, self.gallery)

    def search(self, queries: QueryBatch, depth: int) -> tuple[Float32Array, Int64Array]:
        """Search the gallery by its index, and re-rank the hits.

        Returns:
            Scores and rows (q, depth), best first; see ``rerank``.
        """
        if not self.top:
            return self.gallery.nearest(self.expand(queries), depth, queries.excluded)
        first = self.gallery.nearest(queries.vectors, max(depth, self.top), queries.excluded)
        scores, rows = self.rerank(queries, first[1])
        return scores[:, :depth], rows[:, :depth]

    def rerank(self, queries: QueryBatch, first: Int64Array) -> tuple[Float32Array, Int64Array]:
        """Re-rank the hits ``first`` (q, k) of a search, or search again to the same depth.

        Returns:
            Scores and rows (q, k), best first. Hits behind the first ``top`` have the score
            NaN, because their scores are of another kind; -inf and -1 fill.
        """
        if not self.top:
            return self.search(queries, first.shape[1])
        hits, others = first[:, : self.top], first[:, self.top :]
        scores = self.rescore(queries, hits)
        order = new_order(scores)
        rows = np.hstack([np.take_along_axis(hits, order, 1), others])
        unknown = np.where(others == NONE, np.float32(-np.inf), np.float32(np.nan))
        return np.hstack([np.take_along_axis(scores, order, 1), unknown]), rows


def by_exact_search(
    options: Reranker, memory: int, images_at: ImagesAt | None = None
) -> RerankGallery:
    """Return a function that applies a re-ranker to a gallery, with neighbours by exact search.

    Args:
        options: the re-ranker.
        memory: bytes that vectors and neighbours may use.
        images_at: returns the images of item rows, for re-rankers that compare them.
    """

    def apply(vectors: VectorBlocks, items: Int64Array) -> AppliedReranker:
        searched = replace(vectors, memory=int(memory * _INDEX_SHARE))
        index = INDEXES.build({"kind": "exact"}, "exact search").build(Vectors(searched))
        pictures = None if images_at is None else GalleryPictures(images_at, items, memory)
        gallery = Gallery(replace(vectors, memory=memory), index, pictures=pictures)
        return AppliedReranker(options, gallery)

    return apply
