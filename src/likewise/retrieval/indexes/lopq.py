"""Locally optimised product quantisation: a rotation and codebooks for every coarse cell.

Y. Kalantidis, Y. Avrithis: Locally Optimized Product Quantization for Approximate Nearest
Neighbor Search, CVPR 2014. FAISS computes the k-means, computes the codes and scans them.
"""

import itertools
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from likewise.errors import ConfigError
from likewise.formats.array_types import (
    BoolArray,
    Float32Array,
    Int64Array,
    UInt8Array,
)
from likewise.formats.counted_nouns import counted
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.base import (
    NONE,
    BuiltIndex,
    Index,
    Vectors,
    empty_results,
    settle_ties,
)
from likewise.retrieval.indexes.faiss_door import load_faiss
from likewise.retrieval.indexes.lopq_codec import (
    CLUSTERS,
    CodecTrainer,
    EncodedVectors,
)
from likewise.retrieval.indexes.selected_rows import SelectedRows

_FEW = 10_000
"""Up to this number of allowed rows, exact search replaces the search of cells."""

_QUERIES = 1024


class Lopq(Index):
    """Product quantisation that is optimised for each coarse cell.

    A vector is split into ``parts``. Each part has ``v`` coarse centres, so there are ``v`` to
    the power of ``parts`` cells (2 parts: the inverted multi-index). The residual of a part to
    its centre is rotated to the PCA axes of its cluster. The axes are distributed to the
    subquantisers so that the variance is balanced; each subquantiser encodes one byte of the
    code.

    Attributes:
        v: number of coarse centres per part.
        m: number of subquantisers, and of bytes of a code.
        parts: 2 for the multi-index of the paper, 1 for plain inverted lists.
        codebooks: ``shared`` by all clusters, as in Yahoo's library, or ``local``: a cluster
            with enough vectors has its own, as in the paper. The training time of local
            codebooks grows with the number of clusters.
        nprobe: number of nearest cells that are searched; all cells by default.
        quota: minimum number of candidates, instead of ``nprobe``, as in the paper.
        refine_factor: candidates that are scored again from their vectors, as a multiple of
            ``k``.
        train: number of training vectors, drawn at random.
        seed: seed of the training sample and of k-means.
    """

    cached: ClassVar[bool] = True
    search_options: ClassVar[frozenset[str]] = frozenset({"nprobe", "quota", "refine_factor"})

    v: int = Field(default=8, ge=1, le=4096)
    m: int = Field(default=32, ge=1)
    parts: Literal[1, 2] = 2
    codebooks: Literal["local", "shared"] = "shared"
    nprobe: int | None = Field(default=None, ge=1)
    quota: int | None = Field(default=None, ge=1)
    refine_factor: int | None = Field(default=None, ge=1)
    train: int = Field(default=100_000, ge=1)
    seed: int = 0

    def build(self, vectors: Vectors, cache: Path | None = None) -> "LopqSearch":
        """Load the index from ``cache``, or train and fill it; see ``Index.build``."""
        self.check_size(vectors.rows, vectors.dim)
        coded = None if cache is None else EncodedVectors.read(cache, vectors.rows)
        if coded is None:
            coded = self._code(vectors)
            if cache is not None:
                index_file.save(cache, coded.write)
        return LopqSearch(coded, vectors, self)

    def check_size(self, rows: int, dim: int) -> None:
        """Check that ``m`` divides the dimensions, and that there are enough vectors."""
        faults = []
        if dim % self.parts or self.m % self.parts or dim % self.m:
            faults.append(
                f"m must divide the {counted(dim, 'dimension')}, and parts must divide m"
            )
        if rows < CLUSTERS:
            faults.append(
                f"{counted(rows, 'vector', 'is', 'are')} too few; at least {CLUSTERS} are "
                "needed"
            )
        if faults:
            raise ConfigError(f"lopq index with m {self.m}: {'; '.join(faults)}")

    def _code(self, vectors: Vectors) -> EncodedVectors:
        """Train on a sample of the vectors, and encode all of them."""
        draw = np.arange(vectors.rows)
        if self.train < vectors.rows:
            rng = np.random.default_rng(self.seed)
            draw = np.sort(rng.choice(vectors.rows, self.train, replace=False))
        sample = vectors.take(draw.tolist()).astype(np.float32)
        trainer = CodecTrainer(self.v, self.m // self.parts, local=self.codebooks == "local")
        parts = [
            trainer.train(np.ascontiguousarray(columns), self.seed)
            for columns in np.split(sample, self.parts, axis=1)
        ]
        return EncodedVectors.encode(vectors.stored, parts)


class LopqSearch(BuiltIndex):
    """Codes by cell; a cell is an inverted list of FAISS in its own coordinates."""

    def __init__(self, coded: EncodedVectors, vectors: Vectors, options: Lopq) -> None:
        """Keep the codes, and the vectors for exact search and refinement."""
        self._parts = coded.parts
        self._vectors = vectors
        self._selected = SelectedRows(vectors.stored.take, vectors.dim)
        self._options = options
        shape = [range(len(part.centres)) for part in self._parts]
        order = np.argsort(coded.cells, kind="stable")
        sizes = np.bincount(coded.cells, minlength=int(np.prod([len(r) for r in shape])))
        rows = np.split(order, np.cumsum(sizes)[:-1])
        self._clusters = list(itertools.product(*shape))
        self._rows: list[Int64Array] = rows
        self._lists = [
            self._inverted_list(clusters, members, coded.codes[members])
            if len(members)
            else None
            for clusters, members in zip(self._clusters, rows, strict=True)
        ]

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows whose codes are nearest to each query; see ``BuiltIndex``.

        Scores are 1 - distance² / 2: approximate cosines of vectors of length 1.
        """
        width = min(k, self._vectors.rows)
        allowed_count = (
            self._vectors.rows if allowed is None else int(np.count_nonzero(allowed))
        )
        if not width or not len(queries):
            return empty_results(len(queries), width)
        if self.is_exact(allowed):
            return self._selected.search(queries, k, allowed)
        depth = min(width * (self._options.refine_factor or 1), allowed_count)
        scores, rows = empty_results(len(queries), depth)
        for start in range(0, len(queries), _QUERIES):
            block = slice(start, start + _QUERIES)
            scores[block], rows[block] = self._search_cells(queries[block], depth, allowed)
        if self._options.refine_factor:
            scores = self._refine(queries, rows)
        scores, rows = settle_ties(scores, rows)
        return _pad(scores, rows, width)

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True if all rows are compared: where a filter keeps few."""
        return allowed is not None and int(np.count_nonzero(allowed)) <= _FEW

    def _inverted_list(
        self, clusters: tuple[int, ...], rows: Int64Array, codes: UInt8Array
    ) -> Any:
        """Build the inverted list of ``rows``, with the codebooks of ``clusters``."""
        faiss = load_faiss()

        books = [part.codebooks[c] for part, c in zip(self._parts, clusters, strict=True)]
        subs, dim = codes.shape[1], self._vectors.dim
        centre = faiss.IndexFlatL2(dim)
        centre.add(np.zeros((1, dim), np.float32))
        index = faiss.IndexIVFPQ(centre, dim, 1, subs, 8)
        index.by_residual = False
        index.is_trained = True
        faiss.copy_array_to_vector(np.concatenate(books).ravel(), index.pq.centroids)
        index.invlists.add_entries(
            0, len(rows), faiss.swig_ptr(np.ascontiguousarray(rows)), faiss.swig_ptr(codes)
        )
        index.ntotal = len(rows)
        return index

    def _search_cells(
        self, queries: Float32Array, depth: int, allowed: BoolArray | None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``depth`` nearest codes of the cells that each query visits."""
        visited = self._visited_cells(queries, depth, allowed)
        params = self._filter(allowed)
        best = empty_results(len(queries), depth)
        for cell, index in enumerate(self._lists):
            visitors = np.flatnonzero(visited[:, cell])
            if index is None or not len(visitors):
                continue
            distances, rows = index.search(
                self._to_cell_coordinates(cell, queries[visitors]),
                min(depth, index.ntotal),
                params=params,
            )
            scores = np.where(rows == NONE, -np.inf, 1 - distances / 2)
            all_scores = np.concatenate([best[0][visitors], scores], axis=1)
            all_rows = np.concatenate([best[1][visitors], rows], axis=1)
            top = np.argpartition(-all_scores, depth - 1, axis=1)[:, :depth]
            best[0][visitors] = np.take_along_axis(all_scores, top, 1)
            best[1][visitors] = np.take_along_axis(all_rows, top, 1)
        return best

    def _visited_cells(
        self, queries: Float32Array, depth: int, allowed: BoolArray | None
    ) -> BoolArray:
        """Return a mask (q, cells) of the nearest cells with enough candidates per query."""
        counts = np.array(
            [
                len(rows) if allowed is None else np.count_nonzero(allowed[rows])
                for rows in self._rows
            ]
        )
        nprobe, quota = self._options.nprobe, self._options.quota
        if nprobe is None and quota is None:
            return np.tile(counts > 0, (len(queries), 1))
        distances = self._distances(queries)
        order = np.argsort(distances, axis=1, kind="stable")
        candidates_before = np.cumsum(counts[order], axis=1) - counts[order]
        needed = candidates_before < max(depth, quota or 0)
        if quota is None:
            share = counts.sum() / max(1, self._vectors.rows)
            needed[:, : int(np.ceil((nprobe or 1) / max(share, 1e-9)))] = True
        visited: BoolArray = np.zeros_like(needed)
        np.put_along_axis(visited, order, needed, axis=1)
        visited &= counts > 0
        return visited

    def _distances(self, queries: Float32Array) -> Float32Array:
        """Return squared distances (q, cells) to the cells' centres, summed over the parts."""
        distances = np.zeros((len(queries), 1), np.float32)
        columns = np.split(queries, len(self._parts), axis=1)
        for part, own in zip(self._parts, columns, strict=True):
            squared = ((own[:, None, :] - part.centres) ** 2).sum(axis=2)
            distances = (distances[:, :, None] + squared[:, None, :]).reshape(len(queries), -1)
        return distances

    def _to_cell_coordinates(self, cell: int, queries: Float32Array) -> Float32Array:
        """Return the queries (q, d) in the coordinates of a cell."""
        rotated = [
            (columns - part.centres[c]) @ part.rotations[c].T
            for part, c, columns in zip(
                self._parts,
                self._clusters[cell],
                np.split(queries, len(self._parts), axis=1),
                strict=True,
            )
        ]
        return np.ascontiguousarray(np.concatenate(rotated, axis=1))

    def _filter(self, allowed: BoolArray | None) -> Any:
        faiss = load_faiss()

        if allowed is None:
            return None
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        return faiss.SearchParametersIVF(sel=selector, nprobe=1)

    def _refine(self, queries: Float32Array, rows: Int64Array) -> Float32Array:
        """Return the scores (q, k) of ``rows`` by their vectors."""
        distinct = np.unique(rows[rows != NONE])
        vectors = self._vectors.take(distinct.tolist()).astype(np.float32)
        positions = np.searchsorted(distinct, rows)
        scores = np.full(rows.shape, -np.inf, np.float32)
        for i, query in enumerate(queries):
            valid = rows[i] != NONE
            scores[i, valid] = vectors[positions[i, valid]] @ query
        return scores


def _pad(scores: Float32Array, rows: Int64Array, width: int) -> tuple[Float32Array, Int64Array]:
    """Return the first ``width`` results of each query, padded with -inf and -1."""
    padded_scores, padded_rows = empty_results(len(rows), width)
    count = min(width, rows.shape[1])
    padded_scores[:, :count], padded_rows[:, :count] = scores[:, :count], rows[:, :count]
    return padded_scores, padded_rows
