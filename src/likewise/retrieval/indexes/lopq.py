"""Locally optimised product quantisation: a rotation and codebooks for every coarse cell.

Y. Kalantidis, Y. Avrithis: Locally Optimized Product Quantization for Approximate Nearest
Neighbor Search, CVPR 2014. The k-means, the codes and their scan are FAISS's.
"""

import functools
import itertools
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from likewise.errors import ConfigError
from likewise.formats.array_types import (
    BoolArray,
    Float32Array,
    FloatArray,
    Int64Array,
    UInt8Array,
)
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.base import (
    NONE,
    BuiltIndex,
    Index,
    Vectors,
    empty_results,
    settle_ties,
)
from likewise.retrieval.indexes.exact import Exact, ExactSearch
from likewise.retrieval.indexes.faiss_door import load_faiss
from likewise.retrieval.indexes.lopq_codec import (
    CLUSTERS,
    CodecTrainer,
    EncodedVectors,
)

_FEW = 10_000
"""So few allowed rows are compared one by one in place of a walk through cells."""

_QUERIES = 1024


class Lopq(Index):
    """Product quantisation that is adapted to each coarse cell.

    A vector is cut into ``parts``; each part has ``v`` coarse centres, so that there are ``v``
    to the power of ``parts`` cells (2 parts: the inverted multi-index). What is left of a part
    behind its centre is rotated to the axes of its cluster's own PCA, which are dealt to the
    subquantisers so that each has as much variance, and coded in a byte a subquantiser.

    Attributes:
        v: coarse centres a part.
        m: subquantisers, and so the bytes of a code.
        parts: 2 for the multi-index of the original, 1 for plain inverted lists.
        codebooks: ``shared`` are those of all clusters, as in Yahoo's library; ``local`` are
            a cluster's own where it has vectors enough to train them, as in the paper. They
            take as much longer to train as there are clusters.
        nprobe: cells that a query looks into, the nearest first; all of them by default.
        quota: in place of it, so many candidates, as the original counts.
        refine_factor: so many times ``k`` candidates are scored again, from the vectors.
        train: vectors to train on, drawn at random.
        seed: of the training sample and of k-means.
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
        self._check(vectors)
        coded = None if cache is None else EncodedVectors.read(cache, vectors.rows)
        if coded is None:
            coded = self._code(vectors.read())
            if cache is not None:
                index_file.save(cache, coded.write)
        return LopqSearch(coded, vectors, self)

    def _check(self, vectors: Vectors) -> None:
        faults = []
        if vectors.dim % self.parts or self.m % self.parts or vectors.dim % self.m:
            faults.append(f"m is to divide the {vectors.dim} dimensions, parts is to divide m")
        if vectors.rows < CLUSTERS:
            faults.append(f"{vectors.rows:,} vectors are too few; it takes {CLUSTERS}")
        if faults:
            raise ConfigError(f"lopq index with m {self.m}: {'; '.join(faults)}")

    def _code(self, gallery: FloatArray) -> EncodedVectors:
        """Train on a sample of (n, d) vectors, and code all of them."""
        draw = np.arange(len(gallery))
        if self.train < len(gallery):
            rng = np.random.default_rng(self.seed)
            draw = np.sort(rng.choice(len(gallery), self.train, replace=False))
        sample = gallery[draw].astype(np.float32)
        form = CodecTrainer(self.v, self.m // self.parts, local=self.codebooks == "local")
        parts = [
            form.part(np.ascontiguousarray(columns), self.seed)
            for columns in np.split(sample, self.parts, axis=1)
        ]
        return EncodedVectors.encode(gallery, parts)


class LopqSearch(BuiltIndex):
    """Codes in cells; a cell is one inverted list of FAISS, in its own coordinates."""

    def __init__(self, coded: EncodedVectors, vectors: Vectors, options: Lopq) -> None:
        """Hold the codes, and the vectors for what they cannot answer."""
        self._parts = coded.parts
        self._vectors = vectors
        self._options = options
        shape = [range(len(part.centres)) for part in self._parts]
        order = np.argsort(coded.cells, kind="stable")
        sizes = np.bincount(coded.cells, minlength=int(np.prod([len(r) for r in shape])))
        rows = np.split(order, np.cumsum(sizes)[:-1])
        self._clusters = list(itertools.product(*shape))
        self._rows: list[Int64Array] = rows
        self._lists = [
            self._list(clusters, held, coded.codes[held]) if len(held) else None
            for clusters, held in zip(self._clusters, rows, strict=True)
        ]

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """The ``k`` rows whose codes are nearest to each query; see ``BuiltIndex``.

        Scores are 1 - distance² / 2, the cosines of vectors of length 1, as far as codes tell.
        """
        width = min(k, self._vectors.rows)
        there = self._vectors.rows if allowed is None else int(np.count_nonzero(allowed))
        if not width or not len(queries):
            return empty_results(len(queries), width)
        if allowed is not None and there <= _FEW:
            return self._exact.search(queries, k, allowed)
        depth = min(width * (self._options.refine_factor or 1), there)
        scores, rows = empty_results(len(queries), depth)
        for start in range(0, len(queries), _QUERIES):
            block = slice(start, start + _QUERIES)
            scores[block], rows[block] = self._walk(queries[block], depth, allowed)
        if self._options.refine_factor:
            scores = self._again(queries, rows)
        scores, rows = settle_ties(scores, rows)
        return _padded(scores, rows, width)

    @functools.cached_property
    def _exact(self) -> ExactSearch:
        return Exact().build(self._vectors)

    def _list(self, clusters: tuple[int, ...], rows: Int64Array, codes: UInt8Array) -> Any:
        """An inverted list of ``rows``, coded by the books of ``clusters``."""
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

    def _walk(
        self, queries: Float32Array, depth: int, allowed: BoolArray | None
    ) -> tuple[Float32Array, Int64Array]:
        """The ``depth`` nearest codes of the cells that each query looks into."""
        visited = self._visited(queries, depth, allowed)
        params = self._filter(allowed)
        best = empty_results(len(queries), depth)
        for cell, index in enumerate(self._lists):
            asking = np.flatnonzero(visited[:, cell])
            if index is None or not len(asking):
                continue
            distances, rows = index.search(
                self._seen_from(cell, queries[asking]), min(depth, index.ntotal), params=params
            )
            scores = np.where(rows == NONE, -np.inf, 1 - distances / 2)
            all_scores = np.concatenate([best[0][asking], scores], axis=1)
            all_rows = np.concatenate([best[1][asking], rows], axis=1)
            top = np.argpartition(-all_scores, depth - 1, axis=1)[:, :depth]
            best[0][asking] = np.take_along_axis(all_scores, top, 1)
            best[1][asking] = np.take_along_axis(all_rows, top, 1)
        return best

    def _visited(
        self, queries: Float32Array, depth: int, allowed: BoolArray | None
    ) -> BoolArray:
        """(q, cells) which cells each query looks into: the nearest, until there is enough."""
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
        before = np.cumsum(counts[order], axis=1) - counts[order]
        wanted = before < max(depth, quota or 0)
        if quota is None:
            share = counts.sum() / max(1, self._vectors.rows)
            wanted[:, : int(np.ceil((nprobe or 1) / max(share, 1e-9)))] = True
        visited: BoolArray = np.zeros_like(wanted)
        np.put_along_axis(visited, order, wanted, axis=1)
        visited &= counts > 0
        return visited

    def _distances(self, queries: Float32Array) -> Float32Array:
        """(q, cells) squared distances to the cells' centres: sums of those of the parts."""
        found = np.zeros((len(queries), 1), np.float32)
        columns = np.split(queries, len(self._parts), axis=1)
        for part, own in zip(self._parts, columns, strict=True):
            squared = ((own[:, None, :] - part.centres) ** 2).sum(axis=2)
            found = (found[:, :, None] + squared[:, None, :]).reshape(len(queries), -1)
        return found

    def _seen_from(self, cell: int, queries: Float32Array) -> Float32Array:
        """(q, d) queries in the coordinates of a cell."""
        seen = [
            (columns - part.centres[c]) @ part.rotations[c].T
            for part, c, columns in zip(
                self._parts,
                self._clusters[cell],
                np.split(queries, len(self._parts), axis=1),
                strict=True,
            )
        ]
        return np.ascontiguousarray(np.concatenate(seen, axis=1))

    def _filter(self, allowed: BoolArray | None) -> Any:
        faiss = load_faiss()

        if allowed is None:
            return None
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        return faiss.SearchParametersIVF(sel=selector, nprobe=1)

    def _again(self, queries: Float32Array, rows: Int64Array) -> Float32Array:
        """(q, k) the scores of ``rows`` by their vectors."""
        wanted = np.unique(rows[rows != NONE])
        vectors = self._vectors.take(wanted.tolist()).astype(np.float32)
        places = np.searchsorted(wanted, rows)
        scores = np.full(rows.shape, -np.inf, np.float32)
        for i, query in enumerate(queries):
            found = rows[i] != NONE
            scores[i, found] = vectors[places[i, found]] @ query
        return scores


def _padded(
    scores: Float32Array, rows: Int64Array, width: int
) -> tuple[Float32Array, Int64Array]:
    """The first ``width`` of each, with gaps where there are fewer."""
    found = empty_results(len(rows), width)
    there = min(width, rows.shape[1])
    found[0][:, :there], found[1][:, :there] = scores[:, :there], rows[:, :there]
    return found
