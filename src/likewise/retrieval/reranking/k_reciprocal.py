"""Re-ranking by k-reciprocal encoding."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float64Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.base import ListReranker
from likewise.retrieval.reranking.graph_nodes import GalleryNodes, GraphNodes, NodesWithQuery
from likewise.retrieval.reranking.reciprocal import Encodings, encode, greatest_distances
from likewise.retrieval.reranking.searched_gallery import Gallery


class KReciprocal(ListReranker):
    """Score a hit by the overlap of its mutual neighbours with those of the query.

    Two nodes are k-reciprocal neighbours if each is among the ``k1`` nearest of the other. The
    set of a node is extended by the sets of its members, with lists of half the length, of
    which more than two thirds are its own members. The weight of a member is exp(-d), d being
    the squared distance divided by the greatest squared distance of the node. The vector of a
    node is the mean of the weights of its ``k2`` nearest nodes, itself included. The distance
    of a hit is (1 - ``weight``) times the Jaccard distance of both vectors plus ``weight``
    times d of the query; the score is the negative distance.

    The nodes are the gallery and the query. The authors' program also has all other queries as
    nodes, so its result depends on the set of queries.

    Cost per query: the lists of the hits, of their neighbours and of the neighbours of these:
    at most ``top`` * k2 * k1 * k1 / 2 searches, of which each is kept for later queries.
    Memory: 8 * (k1 + 2) bytes per item of the gallery, at most a quarter of ``memory``.

    Source: Zhong, Zheng, Cao, Li, Re-ranking Person Re-identification with k-reciprocal
    Encoding, CVPR 2017 (k1 20, k2 6, weight 0.3); ``re_ranking_ranklist.py`` of the repository
    zhunzhong07/person-re-ranking.

    Attributes:
        k1: number of neighbours in a list.
        k2: number of nodes whose weights are averaged; 1: no mean.
        weight: share of the distance of the first search; lambda in the paper.
    """

    top: int = Field(default=200, ge=1)
    k1: int = Field(default=20, ge=1)
    k2: int = Field(default=6, ge=1)
    weight: float = Field(default=0.3, ge=0, le=1)

    hops: ClassVar[int] = 3
    """Number of steps on the graph from a hit to the farthest list that is read."""

    def prepare(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> None:
        """Search the neighbours of the hits, and of the nodes around them."""
        excluded = queries.excluded.shape[1]
        lists = gallery.lists(self.k1 + excluded)
        nodes = np.unique(rows[rows != NONE])
        averaged = lists.of(nodes)[1][:, : self.k2 - 1 + excluded]
        members = np.union1d(nodes, averaged[averaged != NONE])
        gallery.prepare_farthest(members, excluded)
        for _ in range(self.hops):
            near = np.unique(lists.of(nodes)[1])
            nodes = np.union1d(nodes, near[near != NONE])
            if len(nodes) > lists.most:
                return

    def scores_of(
        self, query: Float64Array, rows: Int64Array, excluded: Int64Array, gallery: Gallery
    ) -> Float64Array:
        """Return the negative distances (t,) of the hits."""
        graph = self._graph(query, excluded, gallery)
        asked = np.append(rows, graph.query)
        near = graph.lists(asked, max(self.k2 - 1, 1))[1][:, : self.k2]
        members = np.unique(near[near != NONE])
        encodings = encode(graph, members, self.k1)
        overlap = _overlaps(encodings, members, near)
        jaccard = 1 - overlap / (2 - overlap)
        own = np.full(len(rows), graph.query)
        least = graph.least_cosines(own[:1])
        distances = (2 - 2 * graph.cosines(own, rows)) / greatest_distances(least)
        return -((1 - self.weight) * jaccard + self.weight * distances)

    def _graph(self, query: Float64Array, excluded: Int64Array, gallery: Gallery) -> GraphNodes:
        """Return the graph; a query that is an item of the gallery is one node of it."""
        if len(excluded) == 1:
            own = gallery.take(excluded)[0]
            if np.allclose(own, query, rtol=0, atol=_SAME):
                return GalleryNodes(gallery, int(excluded[0]))
        return NodesWithQuery(gallery, query, excluded)


_SAME = 1e-6
"""Largest difference of the values of equal vectors, which are rounded to float32."""


def _overlaps(encodings: Encodings, members: Int64Array, near: Int64Array) -> Float64Array:
    """Return the sum of minima of each node's vector and that of the last node.

    A node's vector is the mean of the encodings of its list in ``near``; -1 fills.
    """
    support = np.unique(
        np.concatenate([encodings.of(n)[0] for n in _places(members, near[-1])])
    )
    # The entries in the support of the last node, as a dense matrix (members, support).
    place = np.minimum(np.searchsorted(support, encodings.nodes), len(support) - 1)
    inside = support[place] == encodings.nodes
    number = np.repeat(np.arange(len(members)), np.diff(encodings.ends))
    dense = np.zeros((len(members) + 1, len(support)))
    dense[number[inside], place[inside]] = encodings.weights[inside]
    at = np.where(near == NONE, len(members), np.searchsorted(members, near))
    counts = (near != NONE).sum(axis=1)
    means = dense[at].sum(axis=1) / counts[:, None]
    overlap: Float64Array = np.minimum(means[:-1], means[-1]).sum(axis=1)
    return overlap


def _places(members: Int64Array, nodes: Int64Array) -> list[int]:
    known = nodes[nodes != NONE]
    places: list[int] = np.searchsorted(members, known).tolist()
    return places
