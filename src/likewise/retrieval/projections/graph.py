"""The graph of exact nearest neighbours of some vectors."""

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.retrieval.indexes.exact_search import ExactSearch

_QUERIES = 1_024


def neighbour_graph(vectors: Float32Array, count: int) -> tuple[Int64Array, Float32Array]:
    """Find the ``count`` nearest other vectors of each vector.

    Args:
        vectors: (n, d) of length 1.
        count: less than n.

    Returns:
        Rows and Euclidean distances, (n, count + 1) each, by increasing distance; the first
        one is the vector itself, at distance 0.
    """
    search = ExactSearch(vectors, "dot")
    rows = np.empty((len(vectors), count + 1), np.int64)
    distances = np.zeros((len(vectors), count + 1), np.float32)
    for start in range(0, len(vectors), _QUERIES):
        queries = np.arange(start, min(start + _QUERIES, len(vectors)))
        scores, near = search.search(vectors[queries], count + 1)
        # Equal vectors may hide the vector itself: then the last one of the list is left out.
        own = near == queries[:, None]
        own[~own.any(axis=1), -1] = True
        others = near[~own].reshape(len(queries), count)
        cosines = scores[~own].reshape(len(queries), count)
        rows[queries, 0], rows[queries, 1:] = queries, others
        distances[queries, 1:] = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    return rows, distances
