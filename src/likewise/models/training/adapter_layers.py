"""Layers on the stored vectors of another model: a linear one, or a small perceptron."""

from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from likewise.errors import DataError, bounded
from likewise.formats.array_types import Float32Array, FloatArray
from likewise.formats.even_sample import evenly
from likewise.models.training.single_thread import forward_each

ROWS = 32
"""Vectors per product of matrices. The last part is padded, because libraries choose other
kernels for other numbers of rows: an adapted vector does not depend on the other vectors."""

MOST_ROWS = 50_000
"""Maximum number of vectors whose principal directions are computed, evenly spread."""


class Adapter(nn.Module):
    """W x + b; with a hidden layer also V gelu(U x + c), with V = 0 at the start.

    At the start, cosines are those of x: W is the identity. For fewer dimensions, W has the
    principal directions of the training vectors, which keep most of the cosines.
    """

    def __init__(self, width: int, dim: int, hidden: int, dropout: float = 0.0) -> None:
        """Create the layers.

        Args:
            width: length of the vectors of the initial model.
            dim: length of the adapted vectors.
            hidden: length of the hidden layer; 0 for none.
            dropout: share of the values of x that are 0 in training.
        """
        super().__init__()
        self.linear = nn.Linear(width, dim)
        nn.init.zeros_(self.linear.bias)
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.output = nn.Linear(hidden, dim, bias=False) if hidden else None
        if self.output is not None:
            nn.init.zeros_(self.output.weight)
        self.dropout = nn.Dropout(dropout)

    def start(self, vectors: FloatArray) -> None:
        """Set the linear layer so that it keeps cosines, given the training vectors."""
        weight = self.linear.weight
        dim, width = weight.shape
        if dim > width:
            nn.init.orthogonal_(weight)
            return
        directions = np.eye(width) if dim == width else principal_directions(vectors, dim)
        with torch.no_grad():
            weight.copy_(torch.from_numpy(directions))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return adapted vectors (n, dim), not L2-normalised, of vectors (n, width)."""
        inputs = self.dropout(vectors)
        adapted = self.linear(inputs)
        if self.hidden is not None and self.output is not None:
            adapted = adapted + self.output(functional.gelu(self.hidden(inputs)))
        return cast("torch.Tensor", adapted)


def principal_directions(vectors: FloatArray, dim: int) -> FloatArray:
    """Return the ``dim`` directions in which vectors (n, width) are longest: (dim, width).

    They are eigenvectors of the sum of x x^T; the mean is not subtracted, so that cosines of
    the vectors are approximated. The largest entry of each is positive.
    """
    sample = np.asarray(vectors[evenly(len(vectors), MOST_ROWS)], dtype=np.float64)
    directions = np.linalg.eigh(sample.T @ sample)[1].T[::-1][:dim]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    return np.ascontiguousarray(directions * np.sign(largest))


def adapted(layers: Adapter, vectors: FloatArray) -> Float32Array:
    """Return adapted vectors: (n, dim), float32, L2-normalised.

    Their bits depend neither on the number of threads nor on the other vectors.

    Args:
        layers: the layers, in evaluation mode, on the CPU.
        vectors: (n, width).

    Raises:
        DataError: an adapted vector is zero or contains NaN.
    """
    count, dim = len(vectors), layers.linear.out_features
    if not count:
        return np.empty((0, dim), np.float32)
    inputs = torch.from_numpy(np.array(vectors, dtype=np.float32))
    padded = torch.cat([inputs, inputs[-1:].expand(-count % ROWS, -1)])
    out = torch.cat(forward_each(layers, torch.split(padded, ROWS)))[:count]
    lengths = torch.linalg.vector_norm(out, dim=1, keepdim=True)
    invalid = (~(torch.isfinite(lengths) & (lengths > 0))).flatten().nonzero().flatten()
    if len(invalid):
        raise DataError(
            f"the adapter gives vectors of zeros or NaN for rows "
            f"{bounded(invalid.tolist(), len(invalid))}; lower lr and train it again"
        )
    return np.asarray((out / lengths).numpy(), dtype=np.float32)
