"""k-reciprocal encodings: sparse vectors of the mutual neighbours of nodes."""

from dataclasses import dataclass

import numpy as np

from likewise.formats.array_types import BoolArray, Float64Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.graph_nodes import GraphNodes

_TOGETHER = 512
"""Number of nodes that are encoded at once."""


@dataclass(frozen=True)
class Encodings:
    """Sparse vectors of some nodes.

    Attributes:
        ends: (m + 1,) int64, the entries of node i are ``ends[i]`` to ``ends[i + 1]``.
        nodes: (e,) int64, node of every entry.
        weights: (e,) float64; the sum of a node is 1.
    """

    ends: Int64Array
    nodes: Int64Array
    weights: Float64Array

    def of(self, number: int) -> tuple[Int64Array, Float64Array]:
        """Return the entries of one node."""
        part = slice(self.ends[number], self.ends[number + 1])
        return self.nodes[part], self.weights[part]


@dataclass(frozen=True)
class _Lists:
    """The lists (m, k) of some nodes, which are sorted."""

    nodes: Int64Array
    near: Int64Array

    def at(self, nodes: Int64Array) -> Int64Array:
        """Return the places of ``nodes``, which are among them, or -1."""
        return np.minimum(np.searchsorted(self.nodes, nodes), len(self.nodes) - 1)

    def mutual(self, of: "_Lists") -> BoolArray:
        """Return which entries (n, k) of ``of`` have its node in their own list here."""
        back = self.near[self.at(of.near)]
        mutual = (back == of.nodes[:, None, None]).any(axis=2)
        return np.asarray(mutual & (of.near != NONE))


def encode(graph: GraphNodes, nodes: Int64Array, k1: int) -> Encodings:
    """Return the encodings of ``nodes`` (m,), which are sorted.

    Args:
        graph: the graph.
        nodes: the nodes.
        k1: number of neighbours in a list.
    """
    parts = [
        _encoded(graph, nodes[start : start + _TOGETHER], k1)
        for start in range(0, len(nodes), _TOGETHER)
    ]
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.ends) for part in parts)])
    return Encodings(
        np.cumsum(counts),
        np.concatenate([np.empty(0, np.int64), *(part.nodes for part in parts)]),
        np.concatenate([np.empty(0), *(part.weights for part in parts)]),
    )


def half_of(k1: int) -> int:
    """Return the length of the lists of candidates: half of ``k1``, rounded to even."""
    return int(np.around(k1 / 2))


def _encoded(graph: GraphNodes, nodes: Int64Array, k1: int) -> Encodings:
    half = half_of(k1) + 1
    own = _Lists(nodes, graph.lists(nodes, k1)[1])
    members = _known(own.near)
    lists = _Lists(members, graph.lists(members, k1)[1])
    reciprocal = lists.mutual(own)
    short = _Lists(members, lists.near[:, :half])
    further = _known(short.near)
    back = _Lists(further, graph.lists(further, half - 1)[1])
    mutual = back.mutual(short)
    number, node = _expanded(own, reciprocal, short, mutual)
    weights = _weights(graph, nodes, number, node)
    counts = np.bincount(number, minlength=len(nodes))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Encodings(ends, node, weights)


def _known(near: Int64Array) -> Int64Array:
    """Return the nodes in lists, sorted."""
    known: Int64Array = np.unique(near[near != NONE])
    return known


def _expanded(
    own: _Lists, reciprocal: BoolArray, short: _Lists, mutual: BoolArray
) -> tuple[Int64Array, Int64Array]:
    """Return the pairs of a node's place and a member of its expanded set, sorted.

    The half list of a reciprocal neighbour is added if more than two thirds of its mutual
    members are reciprocal neighbours of the node.
    """
    width = int(max(own.near.max(initial=0), short.near.max(initial=0))) + 1
    place, column = np.nonzero(reciprocal)
    candidates = own.near[place, column]
    keys = np.sort(place * width + candidates)
    at = short.at(candidates)
    members, valid = short.near[at], mutual[at]
    wanted = place[:, None] * width + members
    position = np.searchsorted(keys, wanted)
    inside = valid & (keys[np.minimum(position, len(keys) - 1)] == wanted)
    passes = inside.sum(axis=1) > 2 / 3 * valid.sum(axis=1)
    added = wanted[valid & passes[:, None]]
    pairs: Int64Array = np.unique(np.concatenate([keys, added]))
    return pairs // width, pairs % width


def _weights(
    graph: GraphNodes, nodes: Int64Array, number: Int64Array, node: Int64Array
) -> Float64Array:
    """Return exp(-d) of every pair, divided by the sum of its node.

    d is the squared distance, divided by the greatest squared distance of the node.
    """
    cosines = graph.cosines(nodes[number], node)
    greatest = greatest_distances(graph.least_cosines(nodes))
    weights = np.exp(-(2 - 2 * cosines) / greatest[number])
    sums = np.bincount(number, weights=weights, minlength=len(nodes))
    normalised: Float64Array = weights / sums[number]
    return normalised


def greatest_distances(least_cosines: Float64Array) -> Float64Array:
    """Return the squared distances of the farthest nodes; 1 where all nodes are equal."""
    distances = 2 - 2 * least_cosines
    return np.where(distances > 0, distances, 1.0)
