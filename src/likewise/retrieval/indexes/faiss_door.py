"""The door to faiss: what every index that is made of its parts asks of it."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array

GPU_MOST = 2048
"""The longest list that FAISS returns from a GPU."""

_GPU_BYTES = 1 << 30
"""So much of a gallery is on a GPU at once: it may be larger than its memory."""


def load_faiss() -> Any:
    """The module faiss, untyped: its own stubs know no keyword argument of its classes."""
    import faiss

    return faiss


def nearest(
    queries: Float32Array, gallery: Float32Array, k: int, *, l2: bool
) -> tuple[Float32Array, Int64Array]:
    """The ``k`` best of every query by brute force, on a GPU where there is one.

    The GPU is given the gallery a part at a time, at every call; where its memory is short,
    the processor does it.

    Args:
        queries: (q, d) float32.
        gallery: (n, d) float32, read where it lies.
        k: at most ``GPU_MOST``, and at most n.
        l2: by the negative squared distance, not by the inner product.

    Returns:
        Float32Array (q, k), the greatest first, and rows; equal scores are in no order.
    """
    faiss = load_faiss()

    metric = faiss.METRIC_L2 if l2 else faiss.METRIC_INNER_PRODUCT
    found = None
    if faiss.get_num_gpus():
        with suppress(RuntimeError):
            found = faiss.knn_gpu(
                _resources(0), queries, gallery, k, metric=metric, vectorsMemoryLimit=_GPU_BYTES
            )
    scores, rows = found or faiss.knn(queries, gallery, k, metric=metric)
    return -scores if l2 else scores, rows


def copy_to_gpus(index: Any) -> Any:
    """A copy of ``index`` on all GPUs; None where there are none, or none for its kind."""
    faiss = load_faiss()

    # Asked of no GPU, FAISS returns an empty index and no error.
    gpus = range(faiss.get_num_gpus())
    if not gpus:
        return None
    try:
        resources = [_resources(gpu) for gpu in gpus]
        return faiss.index_cpu_to_gpu_multiple_py(resources, index, gpus=gpus)
    except RuntimeError:
        return None


def kmeans_centroids(
    vectors: Float32Array, count: int, seed: int, *, spherical: bool = True, steps: int = 10
) -> Float32Array:
    """(count, d) centres of a k-means of (n, d) vectors, the same at every run."""
    faiss = load_faiss()

    means = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=steps,
        seed=seed,
        spherical=spherical,
        min_points_per_centroid=1,
    )
    means.train(np.ascontiguousarray(vectors))
    found: Float32Array = means.centroids
    return found


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let FAISS use ``count`` threads for what this thread asks of it; None for the default.

    OpenMP keeps the number for each thread that calls; other threads are not concerned.
    """
    if count is None:
        yield
        return
    faiss = load_faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@functools.cache
def _resources(gpu: int) -> Any:
    """What all indexes on a GPU work with: 1.5 GB of its memory, once and not for each."""
    return load_faiss().StandardGpuResources()
