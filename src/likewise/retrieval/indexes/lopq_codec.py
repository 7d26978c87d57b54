"""Train, apply and store the codes of LOPQ: coarse centres, rotations and codebooks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array, UInt8Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.faiss_door import kmeans_centroids, load_faiss

CLUSTERS = 256
"""Number of entries of a codebook: the code of a subquantiser is one byte."""

_BLOCK = 65_536
_STEPS_COARSE, _STEPS = 10, 25
_LOCAL = 8 * CLUSTERS
"""Minimum number of training vectors of a cluster with its own codebooks."""


@dataclass(frozen=True)
class CodecTrainer:
    """Options of the training of one part of the vectors.

    Attributes:
        v: number of coarse centres.
        subs: number of subquantisers.
        local: train own codebooks for each cluster with enough vectors.
    """

    v: int
    subs: int
    local: bool

    def train(self, sample: Float32Array, seed: int) -> "SubvectorCodec":
        """Train the centres, rotations and codebooks of a part on vectors (n, d)."""
        count = min(self.v, len(sample))
        centres = kmeans_centroids(sample, count, seed, spherical=False, steps=_STEPS_COARSE)
        cluster = nearest_centre(sample, centres)
        rotations = [
            _rotation(sample[cluster == c] - centres[c], self.subs) for c in range(count)
        ]
        part = SubvectorCodec(centres, np.stack(rotations), np.empty((0, 0, 0, 0), np.float32))
        residuals = part.residuals(sample, cluster)
        own = self.local & (np.bincount(cluster, minlength=count) >= _LOCAL)
        shared = np.empty(0) if own.all() else self._codebook(residuals, seed)
        books = [
            self._codebook(residuals[cluster == c], seed) if own[c] else shared
            for c in range(count)
        ]
        return SubvectorCodec(centres, part.rotations, np.stack(books).astype(np.float32))

    def _codebook(self, vectors: Float32Array, seed: int) -> Float32Array:
        """Return a codebook (subs, CLUSTERS, d / subs) of vectors (n, d)."""
        centres = [
            kmeans_centroids(columns, CLUSTERS, seed, spherical=False, steps=_STEPS)
            for columns in np.split(vectors, self.subs, axis=1)
        ]
        return np.stack(centres)


@dataclass(frozen=True)
class SubvectorCodec:
    """Coarse centres, rotations and codebooks of one part of the vectors.

    Attributes:
        centres: (v, d) coarse centres.
        rotations: (v, d, d) rotations; the rows are the axes.
        codebooks: (v, subs, CLUSTERS, d / subs) codebooks.
    """

    centres: Float32Array
    rotations: Float32Array
    codebooks: Float32Array

    def residuals(self, vectors: Float32Array, cluster: Int64Array) -> Float32Array:
        """Return the rotated residuals (n, d) of vectors (n, d) to their clusters' centres."""
        residuals = vectors - self.centres[cluster]
        for c in np.unique(cluster):
            members = cluster == c
            residuals[members] = residuals[members] @ self.rotations[c].T
        return residuals

    def encode(self, vectors: Float32Array) -> tuple[Int64Array, UInt8Array]:
        """Return the clusters (n,) and codes (n, subs) of vectors (n, d)."""
        cluster = nearest_centre(vectors, self.centres)
        residuals = self.residuals(vectors, cluster)
        codes = np.empty((len(vectors), self.codebooks.shape[1]), np.uint8)
        for c in np.unique(cluster):
            members = cluster == c
            codes[members] = _quantiser(self.codebooks[c]).compute_codes(residuals[members])
        return cluster, codes


@dataclass(frozen=True)
class EncodedVectors:
    """Codes of all vectors.

    Attributes:
        parts: the codecs of the parts of a vector.
        cells: (n,) cell of each vector: the clusters of its parts as digits of a number.
        codes: (n, m) codes, m bytes per vector.
    """

    parts: list[SubvectorCodec]
    cells: Int64Array
    codes: UInt8Array

    @classmethod
    def encode(cls, gallery: VectorBlocks, parts: list[SubvectorCodec]) -> "EncodedVectors":
        """Encode vectors, a block at a time."""
        cells, codes = [], []
        for stored in gallery.blocks(_BLOCK):
            block = stored.astype(np.float32)
            encoded = [
                part.encode(np.ascontiguousarray(columns))
                for part, columns in zip(
                    parts, np.split(block, len(parts), axis=1), strict=True
                )
            ]
            shape = tuple(len(part.centres) for part in parts)
            cells.append(np.ravel_multi_index([cluster for cluster, _ in encoded], shape))
            codes.append(np.concatenate([code for _, code in encoded], axis=1))
        return cls(parts, np.concatenate(cells), np.concatenate(codes))

    def write(self, path: Path) -> None:
        """Write the codes and codecs to a file."""
        arrays: dict[str, Any] = {"cells": self.cells, "codes": self.codes}
        for number, part in enumerate(self.parts):
            arrays |= {f"{name}{number}": value for name, value in vars(part).items()}
        with path.open("wb") as handle:
            np.savez(handle, **arrays)

    @classmethod
    def read(cls, path: Path, rows: int) -> "EncodedVectors | None":
        """Read a file; None if it is missing or damaged, or has not ``rows`` vectors."""
        if not index_file.is_complete(path):
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                parts = [
                    SubvectorCodec(
                        arrays[f"centres{n}"], arrays[f"rotations{n}"], arrays[f"codebooks{n}"]
                    )
                    for n in range(sum(name.startswith("centres") for name in arrays.files))
                ]
                coded = cls(parts, arrays["cells"], arrays["codes"])
        except (OSError, ValueError, KeyError):
            return None
        return coded if len(coded.cells) == rows else None


def nearest_centre(vectors: Float32Array, centres: Float32Array) -> Int64Array:
    """Return the index (n,) of the nearest of the centres (v, d) to each vector (n, d)."""
    nearest: Int64Array = load_faiss().knn(vectors, centres, 1)[1][:, 0].astype(np.int64)
    return nearest


def _rotation(residuals: Float32Array, subs: int) -> Float32Array:
    """Return the axes (d, d) of a PCA, distributed to ``subs`` subquantisers of equal size.

    Eigenvalue allocation: in descending order, each axis is assigned to the subquantiser that
    has space and the smallest product of variances (Ge et al., Optimized Product Quantization,
    CVPR 2013, 3.2). With fewer vectors than dimensions the result is the identity.
    """
    count, dim = residuals.shape
    if count < dim:
        return np.eye(dim, dtype=np.float32)
    values, axes = np.linalg.eigh(np.cov(residuals.T).reshape(dim, dim))
    logs = np.log(np.maximum(values, 1e-10))
    logs -= logs.min()  # else variances below 1 would favour the fullest subquantiser
    axes_of: list[list[int]] = [[] for _ in range(subs)]
    product = np.zeros(subs)
    for axis in np.argsort(-logs, kind="stable"):
        full = np.array([len(own) == dim // subs for own in axes_of])
        least = int(np.argmin(np.where(full, np.inf, product)))
        axes_of[least].append(int(axis))
        product[least] += logs[axis]
    return np.ascontiguousarray(axes[:, np.concatenate(axes_of).astype(int)].T, np.float32)


def _quantiser(codebook: Float32Array) -> Any:
    """Return FAISS's product quantiser with a codebook (subs, CLUSTERS, d)."""
    faiss = load_faiss()

    subs, _, dim = codebook.shape
    quantiser = faiss.ProductQuantizer(subs * dim, subs, 8)
    faiss.copy_array_to_vector(codebook.ravel(), quantiser.centroids)
    return quantiser
