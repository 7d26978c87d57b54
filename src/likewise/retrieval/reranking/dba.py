"""Database-side augmentation: items are replaced by means of themselves and neighbours."""

from typing import Literal

import numpy as np
from pydantic import Field

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float64Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.alpha_qe import cosine_powers
from likewise.retrieval.reranking.base import ListReranker, prepare_lists, unit
from likewise.retrieval.reranking.searched_gallery import Gallery


class DatabaseAugmentation(ListReranker):
    """Score a hit by the cosine of the query and of the mean of the hit and its neighbours.

    The mean is weighted and L2-normalised. ``linear`` weights are (k - r) / k for the neighbour
    of rank r; the hit itself has the rank 0. ``equal`` weights are all 1. ``cosine`` weights
    are the cosine of hit and neighbour to the power ``alpha``.

    The original replaces the vectors of the whole gallery; ``top`` at least as large as the
    gallery does the same.

    Cost per query: ``top`` searches, of which each is kept for later queries, and
    ``top`` * (k + 1) vectors. Memory: 8 * (k + 1) bytes per item of the gallery, at most an
    eighth of ``memory``.

    Source: Arandjelovic, Zisserman, Three things everyone should know to improve object
    retrieval, CVPR 2012 (equal weights); Gordo, Almazan, Revaud, Larlus, End-to-end Learning of
    Deep Visual Representations for Image Retrieval, IJCV 2017, section 5.2 (linear weights, k
    20).

    Attributes:
        k: number of neighbours.
        weights: weights of the neighbours.
        alpha: power of the weights ``cosine``.
    """

    k: int = Field(default=10, ge=1)
    weights: Literal["linear", "equal", "cosine"] = "linear"
    alpha: float = Field(default=3.0, ge=0)

    def prepare(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> None:
        """Search the neighbours of all hits."""
        prepare_lists(gallery, rows, self.k, queries)

    def scores_of(
        self, query: Float64Array, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> Float64Array:
        """Return the cosines (t,) of the query and the augmented hits."""
        _, near = gallery.neighbours(rows, self.k, excluded)
        own = gallery.take(rows).astype(np.float64)
        members, places = np.unique(near, return_inverse=True)
        vectors = gallery.take(np.maximum(members, 0)).astype(np.float64)
        vectors[members == NONE] = 0
        sums = own.copy()
        for rank, place in enumerate(places.reshape(near.shape).T, 1):
            others = vectors[place]
            sums += self._weight(rank, own, others)[:, None] * others
        scores: Float64Array = unit(sums) @ query
        return scores

    def _weight(self, rank: int, own: Float64Array, others: Float64Array) -> Float64Array:
        """Return the weights (t,) of the neighbours of one rank."""
        if self.weights == "cosine":
            return cosine_powers(np.einsum("ij,ij->i", own, others), self.alpha)
        weight = 1.0 if self.weights == "equal" else (self.k - rank) / self.k
        return np.full(len(own), weight)
