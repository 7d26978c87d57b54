"""Vectors divided by their lengths."""

import numpy as np

from likewise.formats.array_types import Float32Array, FloatArray


def unit_vectors(vectors: FloatArray) -> Float32Array:
    """Return vectors (n, d) as float32 of length 1; a zero vector stays zero.

    >>> unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    values = np.array(vectors, dtype=np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    values /= np.where(lengths > 0, lengths, 1)
    return values
