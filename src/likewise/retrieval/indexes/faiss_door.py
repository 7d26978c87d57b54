"""Access to faiss: import, brute-force search, GPUs, k-means and threads."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

import numpy as np

from likewise.errors import extras_named
from likewise.formats.array_types import Float32Array, Int64Array

GPU_MOST = 2048
"""Maximum length of a result list that FAISS returns from a GPU."""

_GPU_BYTES = 1 << 30
"""Size of the part of a gallery that is on a GPU at a time; a gallery may exceed its memory."""


def load_faiss() -> Any:
    """Import faiss, untyped, because its stubs lack the keyword arguments of its classes.

    Raises:
        MissingExtraError: faiss is not installed.
    """
    with extras_named():
        import faiss

    return faiss


@functools.cache
def has_faiss() -> bool:
    """Return whether faiss is installed; it is not imported."""
    return find_spec("faiss") is not None


def faiss_search(index: Any) -> Any:
    """Return the method ``search`` of an index that takes ``params``.

    faiss.contrib.torch_utils, which other libraries import, replaces ``search`` in the whole
    process by a method without ``params`` and keeps the original as ``search_numpy``.
    """
    return getattr(index, "search_numpy", index.search)


def nearest(
    queries: Float32Array, gallery: Float32Array, k: int, *, l2: bool
) -> tuple[Float32Array, Int64Array]:
    """Return the ``k`` nearest rows to each query by brute force, on a GPU if there is one.

    Every call copies the gallery to the GPU in parts. If the memory of the GPU is too small,
    the processor is used.

    Args:
        queries: (q, d) float32.
        gallery: (n, d) float32; it is not copied in main memory.
        k: at most ``GPU_MOST`` and at most n.
        l2: use the negative squared distance instead of the inner product.

    Returns:
        Float32Array (q, k), the greatest first, and rows; equal scores are in no order.
    """
    faiss = load_faiss()

    metric = faiss.METRIC_L2 if l2 else faiss.METRIC_INNER_PRODUCT
    results = None
    if faiss.get_num_gpus():
        with suppress(RuntimeError):
            results = faiss.knn_gpu(
                _resources(0), queries, gallery, k, metric=metric, vectorsMemoryLimit=_GPU_BYTES
            )
    scores, rows = results or faiss.knn(queries, gallery, k, metric=metric)
    return -scores if l2 else scores, rows


def copy_to_gpus(index: Any) -> Any:
    """Copy ``index`` to all GPUs; None if there is no GPU, or GPUs do not support its kind."""
    faiss = load_faiss()

    # For an empty list of GPUs, FAISS returns an empty index without an error.
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
    """Return centres (count, d) of a reproducible k-means of vectors (n, d)."""
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
    centres: Float32Array = means.centroids
    return centres


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Limit FAISS to ``count`` threads for calls of the current thread; None for the default.

    OpenMP stores the limit per calling thread, so other threads are not affected.
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
    """Return the resources of a GPU that all indexes share; they take 1.5 GB of its memory."""
    return load_faiss().StandardGpuResources()
