"""Refinement of the query and the first hits by their global descriptors: SuperGlobal."""

import numpy as np
from pydantic import Field

from likewise.formats.array_types import Float64Array, Int64Array
from likewise.retrieval.reranking.base import ListReranker
from likewise.retrieval.reranking.searched_gallery import Gallery


class SuperGlobal(ListReranker):
    """Refine the vectors of the first hits by each other, and the query by the best of them.

    A refined hit is the weighted mean of the hit (weight 1) and of the ``k`` hits nearest to it
    (weight: ``beta`` times their cosine). The refined query is the maximum, in every dimension,
    of the ``k`` + 1 refined hits nearest to the query. The score of a hit is the mean of the
    products of its refined vector with the query and with the refined query.

    Scores are not cosines, because refined vectors are not normalised, as in the authors'
    program.

    Cost per query: ``top`` * ``top`` products of vectors, and no search. Memory: 3 * ``top``
    vectors.

    Source: Shao, Chen, Karpur, Cui, Araujo, Cao, Global Features are All You Need for Image
    Retrieval and Reranking, ICCV 2023, section 3.3 (top 400, k 9, beta 0.15);
    ``modules/reranking`` of the repository ShihaoShao-GH/SuperGlobal.

    Attributes:
        k: number of neighbours of a hit among the first hits.
        beta: weight of the neighbours.
    """

    k: int = Field(default=9, ge=1)
    beta: float = Field(default=0.15, ge=0)

    def scores_of(
        self, query: Float64Array, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> Float64Array:
        """Return the mean products (t,) of the refined hits with query and refined query."""
        vectors = gallery.take(rows).astype(np.float64)
        refined = self._refined(vectors)
        first = refined @ query
        best = np.argsort(-first, kind="stable")[: self.k + 1]
        scores: Float64Array = (first + refined @ refined[best].max(axis=0)) / 2
        return scores

    def _refined(self, vectors: Float64Array) -> Float64Array:
        """Return the weighted means (t, d) of every hit and its neighbours among the hits."""
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, np.inf)  # the hit itself is its first neighbour
        near = np.argsort(-cosines, axis=1, kind="stable")[:, : self.k + 1]
        values = self.beta * np.take_along_axis(cosines, near, 1)
        values[:, 0] = 1
        weights = np.zeros_like(cosines)
        np.put_along_axis(weights, near, values, 1)
        refined: Float64Array = weights @ vectors / values.sum(axis=1, keepdims=True)
        return refined
