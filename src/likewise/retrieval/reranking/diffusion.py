"""Diffusion on the neighbour graph of the first hits."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from pydantic import Field

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float64Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.base import ListReranker, prepare_lists
from likewise.retrieval.reranking.searched_gallery import Gallery

Product: TypeAlias = Callable[[Float64Array], Float64Array]
"""Function from a vector x to the product A x."""


class Diffusion(ListReranker):
    """Rank by a random walk with restart from the query, on the graph of mutual neighbours.

    Two hits are connected if each is among the ``k`` items nearest to the other, itself
    included. The weight of an edge is their cosine to the power ``gamma``, W; with the sums of
    its rows, D, the transition matrix is S = D^-1/2 W D^-1/2. The query gives its ``kq``
    nearest hits the value y, the cosine to the power ``gamma``. The scores f solve
    (I - ``alpha`` S) f = y, by conjugate gradients. The graph is truncated to the first ``top``
    hits, as the authors do for large galleries. Hits that the walk does not reach keep their
    order.

    Cost per query: ``top`` searches, of which each is kept for later queries, and
    ``iterations`` products of a sparse matrix. Memory: 8 * k bytes per item of the gallery, at
    most an eighth of ``memory``.

    Source: Iscen, Tolias, Avrithis, Furon, Chum, Efficient Diffusion on Region Manifolds:
    Recovering Small Objects with Compact CNN Representations, CVPR 2017, sections 3 and 4 (for
    global descriptors k 50, kq 10, alpha 0.99, gamma 3, 20 iterations); ``run_test.m`` of the
    repository ahmetius/diffusion-retrieval.

    Attributes:
        k: number of items in a list of neighbours, the item itself included.
        kq: number of hits from which the walk starts.
        alpha: probability to continue the walk.
        gamma: power of the cosines.
        iterations: maximum number of iterations of the conjugate gradients.
        tolerance: norm of the residual, relative to y, at which the iterations end.
    """

    top: int = Field(default=1000, ge=1)
    k: int = Field(default=50, ge=2)
    kq: int = Field(default=10, ge=1)
    alpha: float = Field(default=0.99, ge=0, lt=1)
    gamma: float = Field(default=3.0, ge=0)
    iterations: int = Field(default=20, ge=1)
    tolerance: float = Field(default=1e-6, gt=0)

    def prepare(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> None:
        """Search the neighbours of all hits."""
        prepare_lists(gallery, rows, self.k - 1, queries)

    def scores_of(
        self, query: Float64Array, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> Float64Array:
        """Return the values (t,) of the hits after the diffusion."""
        near, weights = self._graph(rows, excluded, gallery)
        start = self._start(gallery.take(rows).astype(np.float64) @ query)

        def product(values: Float64Array) -> Float64Array:
            walked: Float64Array = values - self.alpha * np.einsum(
                "ij,ij->i", weights, values[near]
            )
            return walked

        return conjugate_gradients(product, start, self.iterations, self.tolerance)

    def _start(self, cosines: Float64Array) -> Float64Array:
        """Return the values (t,) that the query gives to its nearest hits."""
        start = np.zeros(len(cosines))
        nearest = np.argsort(-cosines, kind="stable")[: self.kq]
        start[nearest] = np.maximum(cosines[nearest], 0) ** self.gamma
        return start

    def _graph(
        self, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> tuple[Int64Array, Float64Array]:
        """Return the neighbours of every hit, as places in the list, and the entries of S.

        Returns:
            Places and entries, (t, k - 1) each; an entry is 0 where there is no edge.
        """
        scores, near = gallery.neighbours(rows, self.k - 1, excluded)
        order = np.argsort(rows)
        at = np.minimum(np.searchsorted(rows, near, sorter=order), len(rows) - 1)
        places = order[at]
        listed = (rows[places] == near) & (near != NONE)
        own = np.arange(len(rows))[:, None]
        keys = np.where(listed, own * len(rows) + places, NONE)
        mutual = listed & np.isin(places * len(rows) + own, keys)
        cosines = np.where(mutual, np.maximum(scores, 0), 0).astype(np.float64)
        weights = np.where(mutual, cosines**self.gamma, 0)
        sums = weights.sum(axis=1)
        scale = np.where(sums > 0, sums, 1) ** -0.5
        return places, weights * scale[:, None] * scale[places]


def conjugate_gradients(
    product: Product, target: Float64Array, iterations: int, tolerance: float
) -> Float64Array:
    """Solve A x = b for a symmetric positive definite A, beginning with x = 0.

    Source: Hestenes, Stiefel, Methods of Conjugate Gradients for Solving Linear Systems, 1952.

    Args:
        product: returns A x.
        target: (n,) b.
        iterations: maximum number of iterations.
        tolerance: end when the residual is this part of the norm of b.
    """
    solution, residual = np.zeros_like(target), target.copy()
    direction, square = residual.copy(), float(residual @ residual)
    least = tolerance * tolerance * square
    for _ in range(iterations):
        if square <= least:
            break
        image = product(direction)
        step = square / float(direction @ image)
        solution += step * direction
        residual -= step * image
        before, square = square, float(residual @ residual)
        direction = residual + square / before * direction
    return solution
