"""The plane of the first two principal components."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from likewise.formats.array_types import Float32Array, Float64Array, FloatArray, Int64Array
from likewise.formats.even_sample import evenly
from likewise.formats.vector_blocks import VectorBlocks

MOST_ROWS = 50_000
"""Maximum number of vectors from which the components are computed, evenly spread."""

_READ = 4_096


@dataclass(frozen=True)
class PrincipalPlane:
    """The mean of some vectors, (d,), and their first two principal components, (2, d)."""

    mean: Float64Array
    components: Float64Array

    @classmethod
    def fit(cls, vectors: VectorBlocks, order: Int64Array) -> "PrincipalPlane":
        """Compute the components of at most ``MOST_ROWS`` vectors.

        The largest entry of each component is positive. With fewer than two dimensions or
        vectors, a component is zero.
        """
        chosen = evenly(len(order), MOST_ROWS)
        dim, count = vectors.dim, max(1, len(chosen))
        total, products = np.zeros(dim), np.zeros((dim, dim))
        with threadpool_limits(limits=1):  # sums by several threads are rounded differently
            for start in range(0, len(chosen), _READ):
                part = vectors.take(order[chosen[start : start + _READ]]).astype(np.float64)
                total += part.sum(axis=0)
                products += part.T @ part
            mean = total / count
            covariance = products / count - np.outer(mean, mean)
            directions = np.linalg.eigh(covariance)[1].T[::-1][:2]
        components = np.zeros((2, dim))
        for number, direction in enumerate(directions):
            components[number] = direction * np.sign(direction[np.abs(direction).argmax()])
        return cls(mean, components)

    def project(self, vectors: FloatArray) -> Float32Array:
        """Return the components of vectors (n, d): (n, 2)."""
        with threadpool_limits(limits=1):
            centred = vectors.astype(np.float64) - self.mean
            return np.asarray(centred @ self.components.T, dtype=np.float32)

    def none(self) -> Float32Array:
        """Return the components of no vectors: (0, 2)."""
        return np.empty((0, 2), np.float32)
