"""The nodes of a neighbour graph: the items of a gallery, and one query."""

from typing import Protocol

import numpy as np

from likewise.formats.array_types import Float32Array, Float64Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.searched_gallery import Gallery

_PAIRS = 4096
"""Number of pairs of vectors that are multiplied at once."""


class GraphNodes(Protocol):
    """Nodes by number: the row of an item, or ``query``."""

    query: int

    def lists(self, nodes: Int64Array, k: int) -> tuple[Float32Array, Int64Array]:
        """Return cosines and numbers (m, k + 1) of each node and the ``k`` nearest others.

        The node itself comes first; -inf and -1 fill.
        """
        ...

    def cosines(self, nodes: Int64Array, others: Int64Array) -> Float64Array:
        """Return the cosines (p,) of pairs of nodes."""
        ...

    def least_cosines(self, nodes: Int64Array) -> Float64Array:
        """Return the cosine (m,) of each node and the node farthest from it."""
        ...


class GalleryNodes:
    """The items of a gallery, one of which is the query."""

    def __init__(self, gallery: Gallery, query: int) -> None:
        """Read the graph of ``gallery``; the row ``query`` is the query."""
        self._gallery, self.query = gallery, query

    def lists(self, nodes: Int64Array, k: int) -> tuple[Float32Array, Int64Array]:
        """Return the lists of nodes; see ``GraphNodes``."""
        return with_own(nodes, *self._gallery.neighbours(nodes, k))

    def cosines(self, nodes: Int64Array, others: Int64Array) -> Float64Array:
        """Return the cosines of pairs."""
        return pair_cosines(self._gallery, nodes, others)

    def least_cosines(self, nodes: Int64Array) -> Float64Array:
        """Return the cosines of the farthest nodes."""
        return self._gallery.least_cosines(nodes)


class NodesWithQuery:
    """The items of a gallery without the excluded rows, and a query that is not an item."""

    def __init__(self, gallery: Gallery, query: Float64Array, excluded: Int64Array) -> None:
        """Add ``query`` (d,) to the graph of ``gallery`` without the rows ``excluded``."""
        self._gallery, self._vector, self._excluded = gallery, query, excluded
        self.query = gallery.size

    def lists(self, nodes: Int64Array, k: int) -> tuple[Float32Array, Int64Array]:
        """Return the lists of nodes, in which the query is inserted by its cosine."""
        scores = np.full((len(nodes), k), -np.inf, np.float32)
        near = np.full((len(nodes), k), NONE, np.int64)
        items = nodes != self.query
        scores[items], near[items] = self._gallery.neighbours(nodes[items], k, self._excluded)
        own = np.full((len(nodes), 1), -np.inf, np.float32)
        own[items, 0] = self._to_query(nodes[items])
        # The query comes before items of the same cosine.
        scores = np.hstack([own, scores])
        near = np.hstack([np.where(items, self.query, NONE)[:, None], near])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, near = np.take_along_axis(scores, order, 1), np.take_along_axis(near, order, 1)
        if not items.all():
            nearest = self._gallery.nearest(
                self._vector.astype(np.float32)[None], k, self._excluded[None]
            )
            width = nearest[1].shape[1]
            scores[~items, :width], near[~items, :width] = nearest
        return with_own(nodes, scores, near)

    def cosines(self, nodes: Int64Array, others: Int64Array) -> Float64Array:
        """Return the cosines of pairs."""
        cosines = np.ones(len(nodes))
        first, second = nodes == self.query, others == self.query
        neither = ~first & ~second
        cosines[neither] = pair_cosines(self._gallery, nodes[neither], others[neither])
        cosines[first & ~second] = self._to_query(others[first & ~second])
        cosines[second & ~first] = self._to_query(nodes[second & ~first])
        return cosines

    def least_cosines(self, nodes: Int64Array) -> Float64Array:
        """Return the cosines of the farthest nodes."""
        least = np.empty(len(nodes))
        items = nodes != self.query
        least[items] = np.minimum(
            self._gallery.least_cosines(nodes[items], self._excluded),
            self._to_query(nodes[items]),
        )
        if not items.all():
            opposite = -self._vector.astype(np.float32)[None]
            scores, _ = self._gallery.nearest(opposite, 1, self._excluded[None])
            least[~items] = -scores[0, 0] if scores.shape[1] else 1
        return least

    def _to_query(self, rows: Int64Array) -> Float64Array:
        products: Float64Array = self._gallery.take(rows).astype(np.float64) @ self._vector
        return products


def with_own(
    nodes: Int64Array, scores: Float32Array, near: Int64Array
) -> tuple[Float32Array, Int64Array]:
    """Put each node in front of its list."""
    ones = np.ones((len(nodes), 1), np.float32)
    return np.hstack([ones, scores]), np.hstack([nodes[:, None], near])


def pair_cosines(gallery: Gallery, rows: Int64Array, others: Int64Array) -> Float64Array:
    """Return the cosines (p,) of pairs of items."""
    members, places = np.unique(np.concatenate([rows, others]), return_inverse=True)
    vectors = gallery.take(members)
    first, second = places[: len(rows)], places[len(rows) :]
    cosines = np.empty(len(rows))
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        pairs = vectors[first[part]], vectors[second[part]]
        cosines[part] = np.einsum("ij,ij->i", *pairs, dtype=np.float64)
    return cosines
