"""Exact search: every vector is compared, a block at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.retrieval.indexes.base import (
    BuiltIndex,
    Index,
    Vectors,
    empty_results,
    rank_order,
)
from likewise.retrieval.indexes.faiss_door import GPU_MOST, nearest

Metric: TypeAlias = Literal["dot", "cosine", "l2"]

_QUERIES = 256
_QUERIES_OF_FAISS = 4096
_BLOCK_BYTES = 64 << 20
# float16 vectors are converted at each search, 15 times the cost of the comparison itself;
# those that fit in here are converted once.
_WIDE_BYTES = 1 << 30
_WIDE_ROWS = 4096
# What is gathered or converted is compared while it is in the processor's cache: 4 times as
# fast as in blocks of 8 MB (5,000 of 50,000 x 512 rows, one query: 0.35 ms, all rows: 2.1 ms).
_CACHED_BYTES = 512 << 10
# From this share on, comparing all rows costs less than gathering the allowed ones.
_SPARSE = 1 / 4
# From so many queries on, FAISS's own scan is the faster one.
_MANY = 16
# It is asked for so many rows more than are wanted: those that rounding could put among them.
_SPARE = 16
_LEAST = float(np.finfo(np.float32).min)
_TINY = float(np.finfo(np.float32).tiny)


class Exact(Index):
    """The true nearest neighbours.

    A row's score does not depend on its place, nor on the other queries: whatever comes near
    the first k is scored again, in float64. So identical vectors have identical scores.

    Attributes:
        metric: ``dot``, the inner product, is the cosine of vectors of length 1, as published
            ones are. ``cosine`` also divides by the length of what is stored (half precision
            rounds it); ``l2`` is the squared distance, negative, so that greater is nearer.
    """

    metric: Metric = "dot"

    def build(self, vectors: Vectors, cache: Path | None = None) -> "ExactSearch":
        """Read the vectors; there is nothing to build."""
        gallery = vectors.read()
        if gallery.dtype != np.float32 and gallery.size * 4 <= _WIDE_BYTES:
            gallery = gallery.astype(np.float32)
        return ExactSearch(gallery, self.metric)


class ExactSearch(BuiltIndex):
    """All vectors, in memory."""

    def __init__(self, gallery: FloatArray, metric: Metric = "dot") -> None:
        """Hold the (n, d) vectors."""
        self._gallery = gallery
        self._metric = metric
        self._cached = max(1, _CACHED_BYTES // (4 * max(1, gallery.shape[1])))
        self._squares = self._squared_lengths()
        self._longest = float(np.sqrt(self._squares.max(initial=0)))

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """The ``k`` rows nearest to each query; see ``BuiltIndex``."""
        n = len(self._gallery)
        scores, rows = empty_results(len(queries), min(k, n))
        depth = min(k, n if allowed is None else int(np.count_nonzero(allowed)))
        if not depth:
            return scores, rows
        step = _QUERIES_OF_FAISS if self._suits_faiss(queries, depth, allowed) else _QUERIES
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            for i, near in enumerate(self._near(block, depth, allowed), start):
                precise = self._score(queries[i], near)
                best = rank_order(precise, near)[:depth]
                scores[i, :depth], rows[i, :depth] = precise[best], near[best]
        return scores, rows

    def _near(
        self, queries: Float32Array, k: int, allowed: BoolArray | None
    ) -> list[Int64Array]:
        """Each query's first ``k`` rows and all that rounding could put among them."""
        slack = self._slack(queries)
        if not self._suits_faiss(queries, k, allowed):
            return self._scan(queries, k, slack, allowed)
        width = min(len(self._gallery), k + _SPARE)
        scores, rows = nearest(queries, self._gallery, width, l2=self._metric == "l2")
        near = scores >= (scores[:, k - 1] - slack)[:, None]
        # Where all that was returned is near, there may be more of it.
        short = near[:, -1] & (width < len(self._gallery))
        found: list[Int64Array] = [row[kept] for row, kept in zip(rows, near, strict=True)]
        again = np.flatnonzero(short)
        for i, more in zip(
            again, self._scan(queries[again], k, slack[again], None), strict=True
        ):
            found[i] = more
        return found

    def _suits_faiss(self, queries: Float32Array, k: int, allowed: BoolArray | None) -> bool:
        """Whether FAISS scans faster: it multiplies and selects in one go, and on GPUs."""
        return (
            allowed is None
            and len(queries) >= _MANY
            and self._metric != "cosine"
            and self._gallery.dtype == np.float32
            and k + _SPARE <= GPU_MOST
        )

    def _scan(
        self, queries: Float32Array, k: int, slack: Float32Array, allowed: BoolArray | None
    ) -> list[Int64Array]:
        held = [_Near(k, float(one)) for one in slack]
        for rows in self._blocks(len(queries), allowed):
            scores = self._rough(queries, rows)
            if allowed is not None and isinstance(rows, slice):
                scores[:, ~allowed[rows]] = -np.inf
            for near, row_scores in zip(held, scores, strict=True):
                near.add(row_scores, rows)
        return [near.rows for near in held]

    def _slack(self, queries: Float32Array) -> Float32Array:
        """(q,) how far apart rounding can bring two rough scores of one query.

        |fl(x . y) - x . y| <= d u |x| |y|, whatever the order of the sum (Higham, Accuracy and
        Stability of Numerical Algorithms, 2nd ed., 3.1); twice, for two scores compared, and a
        little for the vectors' norms and for u squared. A squared distance is of two lengths
        and a product, none of which is more than the sum of both lengths, squared.
        """
        own = np.linalg.norm(queries.astype(np.float64), axis=1)
        scale = own * (1 if self._metric == "cosine" else self._longest)
        if self._metric == "l2":
            scale = 2 * (own + self._longest) ** 2
        dim = max(self._gallery.shape[1], 4)
        slack: Float32Array = (2.1 * dim * 2.0**-24 * scale).astype(np.float32)
        return slack

    def _blocks(self, queries: int, allowed: BoolArray | None) -> Iterator[slice | Int64Array]:
        """The rows to compare, a block at a time; only the allowed ones where they are few."""
        n = len(self._gallery)
        step = max(1, _BLOCK_BYTES // (4 * max(1, queries)))
        if allowed is not None and np.count_nonzero(allowed) < n * _SPARSE:
            chosen = np.flatnonzero(allowed)
            yield from (chosen[start : start + step] for start in range(0, len(chosen), step))
        else:
            yield from (slice(start, min(start + step, n)) for start in range(0, n, step))

    def _rough(self, queries: Float32Array, rows: slice | Int64Array) -> Float32Array:
        """(q, len(rows)) scores in float32 sums; of l2 without the query's own length."""
        products = self._products(queries, rows)
        if self._metric == "cosine":
            products /= np.sqrt(np.maximum(self._squares[rows], _TINY))
        elif self._metric == "l2":
            products *= 2
            products -= self._squares[rows]
        return products

    def _products(self, queries: Float32Array, rows: slice | Int64Array) -> Float32Array:
        gallery = self._gallery
        if isinstance(rows, slice):
            gallery, rows = gallery[rows], slice(None)
            if gallery.dtype == np.float32:
                return np.asarray(queries @ gallery.T, np.float32)
        count = len(gallery) if isinstance(rows, slice) else len(rows)
        scores = np.empty((len(queries), count), np.float32)
        for start in range(0, count, self._cached):
            part = slice(start, start + self._cached)
            vectors = gallery[part] if isinstance(rows, slice) else gallery.take(rows[part], 0)
            scores[:, part] = queries @ vectors.astype(np.float32, copy=False).T
        return scores

    def _score(self, query: Float32Array, rows: Int64Array) -> Float32Array:
        """(len(rows),) scores, summed in float64 and rounded once."""
        precise = np.empty(len(rows), np.float32)
        wide = query.astype(np.float64)
        for start in range(0, len(rows), _WIDE_ROWS):
            part = self._gallery[rows[start : start + _WIDE_ROWS]]
            if self._metric == "l2":
                found = -((part - wide) ** 2).sum(axis=1)
            else:
                found = (part * wide).sum(axis=1)
            if self._metric == "cosine":
                squares = (part.astype(np.float64) ** 2).sum(axis=1)
                found /= np.sqrt(np.maximum(squares, _TINY))
            precise[start : start + len(part)] = found
        return precise

    def _squared_lengths(self) -> Float32Array:
        """(n,) float32."""
        squares = np.empty(len(self._gallery), np.float32)
        for start in range(0, len(squares), self._cached):
            part = self._gallery[start : start + self._cached].astype(np.float32, copy=False)
            squares[start : start + len(part)] = np.einsum("ij,ij->i", part, part)
        return squares


class _Near:
    """One query's candidates so far: the first k by rough score, and the slack below them."""

    def __init__(self, k: int, slack: float) -> None:
        self.rows = np.empty(0, np.int64)
        self._k = k
        self._slack = slack
        self._scores = np.empty(0, np.float32)
        self._floor = _LEAST

    def add(self, scores: Float32Array, rows: slice | Int64Array) -> None:
        """Take the scores of one block, whose rows are ``rows``."""
        near = np.flatnonzero(scores >= max(self._floor, self._reach(scores)))
        found = near + rows.start if isinstance(rows, slice) else rows[near]
        self.rows = np.concatenate([self.rows, found])
        self._scores = np.concatenate([self._scores, scores[near]])
        self._floor = max(self._floor, self._reach(self._scores))
        kept = self._scores >= self._floor
        self.rows, self._scores = self.rows[kept], self._scores[kept]

    def _reach(self, scores: Float32Array) -> float:
        """The least score that may be among the first k of ``scores``."""
        if len(scores) < self._k:
            return _LEAST
        at = len(scores) - self._k
        return float(np.partition(scores, at)[at]) - self._slack
