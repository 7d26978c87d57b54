"""Codes of vectors: coarse centres, rotations and codebooks, their training and their file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likewise.formats.array_types import Float32Array, FloatArray, Int64Array, UInt8Array
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.faiss_door import kmeans_centroids, load_faiss

CLUSTERS = 256
"""Words of a codebook: a byte a subquantiser."""

_BLOCK = 65_536
_STEPS_COARSE, _STEPS = 10, 25
_LOCAL = 8 * CLUSTERS
"""Training vectors from which on a cluster has codebooks of its own."""


@dataclass(frozen=True)
class CodecTrainer:
    """What is trained: ``v`` coarse centres, ``subs`` subquantisers, codebooks local or not."""

    v: int
    subs: int
    local: bool

    def part(self, sample: Float32Array, seed: int) -> "SubvectorCodec":
        """One part's centres, rotations and codebooks, from (n, d) training vectors."""
        count = min(self.v, len(sample))
        centres = kmeans_centroids(sample, count, seed, spherical=False, steps=_STEPS_COARSE)
        cluster = nearest_centre(sample, centres)
        turns = [_rotation(sample[cluster == c] - centres[c], self.subs) for c in range(count)]
        part = SubvectorCodec(centres, np.stack(turns), np.empty((0, 0, 0, 0), np.float32))
        left = part.residuals(sample, cluster)
        own = self.local & (np.bincount(cluster, minlength=count) >= _LOCAL)
        shared = np.empty(0) if own.all() else self._codebook(left, seed)
        books = [
            self._codebook(left[cluster == c], seed) if own[c] else shared for c in range(count)
        ]
        return SubvectorCodec(centres, part.rotations, np.stack(books).astype(np.float32))

    def _codebook(self, vectors: Float32Array, seed: int) -> Float32Array:
        """(subs, CLUSTERS, d / subs) words."""
        made = [
            kmeans_centroids(columns, CLUSTERS, seed, spherical=False, steps=_STEPS)
            for columns in np.split(vectors, self.subs, axis=1)
        ]
        return np.stack(made)


@dataclass(frozen=True)
class SubvectorCodec:
    """How one part of a vector is coded.

    Attributes:
        centres: (v, d) coarse centres.
        rotations: (v, d, d), rows are the axes.
        codebooks: (v, subs, CLUSTERS, d / subs).
    """

    centres: Float32Array
    rotations: Float32Array
    codebooks: Float32Array

    def residuals(self, vectors: Float32Array, cluster: Int64Array) -> Float32Array:
        """(n, d): what is left of (n, d) vectors behind their clusters' centres, rotated."""
        left = vectors - self.centres[cluster]
        for c in np.unique(cluster):
            chosen = cluster == c
            left[chosen] = left[chosen] @ self.rotations[c].T
        return left

    def encode(self, vectors: Float32Array) -> tuple[Int64Array, UInt8Array]:
        """The clusters (n,) and codes (n, subs) of (n, d) vectors."""
        cluster = nearest_centre(vectors, self.centres)
        left = self.residuals(vectors, cluster)
        codes = np.empty((len(vectors), self.codebooks.shape[1]), np.uint8)
        for c in np.unique(cluster):
            chosen = cluster == c
            codes[chosen] = _quantiser(self.codebooks[c]).compute_codes(left[chosen])
        return cluster, codes


@dataclass(frozen=True)
class EncodedVectors:
    """All vectors as codes.

    Attributes:
        parts: how they are coded.
        cells: (n,) each vector's cell: its parts' clusters as the digits of a number.
        codes: (n, m) its bytes.
    """

    parts: list[SubvectorCodec]
    cells: Int64Array
    codes: UInt8Array

    @classmethod
    def encode(cls, gallery: FloatArray, parts: list[SubvectorCodec]) -> "EncodedVectors":
        """Encode (n, d) vectors, a block at a time."""
        cells, codes = [], []
        for start in range(0, len(gallery), _BLOCK):
            block = gallery[start : start + _BLOCK].astype(np.float32)
            found = [
                part.encode(np.ascontiguousarray(columns))
                for part, columns in zip(
                    parts, np.split(block, len(parts), axis=1), strict=True
                )
            ]
            shape = tuple(len(part.centres) for part in parts)
            cells.append(np.ravel_multi_index([c for c, _ in found], shape))
            codes.append(np.concatenate([code for _, code in found], axis=1))
        return cls(parts, np.concatenate(cells), np.concatenate(codes))

    def write(self, path: Path) -> None:
        """Keep all of it in a file."""
        arrays: dict[str, Any] = {"cells": self.cells, "codes": self.codes}
        for number, part in enumerate(self.parts):
            arrays |= {f"{name}{number}": value for name, value in vars(part).items()}
        with path.open("wb") as handle:
            np.savez(handle, **arrays)

    @classmethod
    def read(cls, path: Path, rows: int) -> "EncodedVectors | None":
        """What ``path`` holds of so many ``rows``; None where it is damaged or not there."""
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
    """(n,) the nearest of (v, d) centres to each of (n, d) vectors."""
    found: Int64Array = load_faiss().knn(vectors, centres, 1)[1][:, 0].astype(np.int64)
    return found


def _rotation(residuals: Float32Array, subs: int) -> Float32Array:
    """(d, d) the axes of a PCA, dealt to ``subs`` subquantisers of equal size.

    Eigenvalue allocation: in descending order, each axis goes to the subquantiser that has
    room and the smallest product of variances (Ge et al., Optimized Product Quantization,
    CVPR 2013, 3.2). With fewer vectors than dimensions nothing is turned.
    """
    count, dim = residuals.shape
    if count < dim:
        return np.eye(dim, dtype=np.float32)
    values, axes = np.linalg.eigh(np.cov(residuals.T).reshape(dim, dim))
    logs = np.log(np.maximum(values, 1e-10))
    logs -= logs.min()  # or of variances below 1 the fullest subquantiser would get the next
    held: list[list[int]] = [[] for _ in range(subs)]
    product = np.zeros(subs)
    for axis in np.argsort(-logs, kind="stable"):
        full = np.array([len(h) == dim // subs for h in held])
        least = int(np.argmin(np.where(full, np.inf, product)))
        held[least].append(int(axis))
        product[least] += logs[axis]
    return np.ascontiguousarray(axes[:, np.concatenate(held).astype(int)].T, np.float32)


def _quantiser(codebook: Float32Array) -> Any:
    """FAISS's product quantiser of one codebook (subs, CLUSTERS, d)."""
    faiss = load_faiss()

    subs, _, dim = codebook.shape
    quantiser = faiss.ProductQuantizer(subs * dim, subs, 8)
    faiss.copy_array_to_vector(codebook.ravel(), quantiser.centroids)
    return quantiser
