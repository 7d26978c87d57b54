"""t-SNE by scikit-learn and UMAP by umap-learn, on our own neighbour graph."""

import warnings
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from likewise.errors import MissingExtraError, extras_named
from likewise.formats.array_types import Float32Array
from likewise.retrieval.projections.graph import neighbour_graph

SEED = 0

_START = 1e-4
"""Standard deviation of the first coordinate at the start of t-SNE, as in scikit-learn."""


def tsne(vectors: Float32Array, start: Float32Array, neighbours: int) -> Float32Array:
    """Place vectors (n, d) of length 1 by t-SNE: (n, 2).

    Args:
        vectors: the vectors.
        start: (n, 2), the places to start from.
        neighbours: neighbours of each vector; the perplexity is a third of it.
    """
    with extras_named():
        from sklearn.manifold import TSNE
    from scipy.sparse import csr_array  # comes with scikit-learn

    # scikit-learn reads int(3 * perplexity + 1) neighbours of each vector, and itself.
    wanted = min(len(vectors) - 1, neighbours + 1)
    rows, distances = neighbour_graph(vectors, wanted)
    ends = np.arange(len(vectors) + 1) * (wanted + 1)
    graph = csr_array((distances.ravel(), rows.ravel(), ends), shape=(len(vectors),) * 2)
    deviation = float(start[:, 0].std()) or 1.0
    place = TSNE(
        metric="precomputed",
        perplexity=(wanted - 1) / 3 if wanted > 1 else 1 / 3,
        init=np.asarray(start / deviation * _START, dtype=np.float32),
        random_state=SEED,
    )
    with threadpool_limits(limits=1):  # sums by several threads are rounded differently
        return np.asarray(place.fit_transform(graph), dtype=np.float32)


def _evenly_spaced(count: int) -> Float32Array:
    """Return places (n, 1) from -1 to 1.

    UMAP divides by the range of each coordinate at the start; of vectors on a line, or equal
    ones, that of the second or of both is 0.
    """
    return np.linspace(-1, 1, count, dtype=np.float32)[:, None]


def umap(
    vectors: Float32Array, start: Float32Array, neighbours: int, min_dist: float
) -> Float32Array:
    """Place vectors (n, d) of length 1 by UMAP: (n, 2).

    Args:
        vectors: the vectors.
        start: (n, 2), the places to start from.
        neighbours: neighbours of each vector.
        min_dist: smallest distance of neighbours on the plane.

    Raises:
        MissingExtraError: umap-learn is not installed.
    """
    with warnings.catch_warnings():
        # umap-learn looks for TensorFlow, and warns of arguments that it has set itself.
        warnings.simplefilter("ignore")
        try:
            from umap import UMAP
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                'UMAP needs umap-learn; run: pip install "likewise[umap]"'
            ) from error
        rows, distances = neighbour_graph(vectors, neighbours - 1)
        start = np.where(np.ptp(start, axis=0) > 0, start, _evenly_spaced(len(start)))
        spread = float(np.abs(start).max()) or 1.0
        options: dict[str, Any] = {
            "precomputed_knn": (rows, distances),
            "init": np.asarray(start / spread * 10, dtype=np.float32),
            "random_state": SEED,
            "n_jobs": 1,
            "force_approximation_algorithm": True,
        }
        place = UMAP(n_neighbors=neighbours, min_dist=min_dist, **options)
        with threadpool_limits(limits=1):
            return np.asarray(place.fit_transform(vectors), dtype=np.float32)
