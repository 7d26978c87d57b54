"""Exact search of vectors in memory, block by block."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.retrieval.indexes.base import BuiltIndex, empty_results, rank_order
from likewise.retrieval.indexes.faiss_door import GPU_MOST, has_faiss, nearest

Metric: TypeAlias = Literal["dot", "cosine", "l2"]

_QUERIES = 256
_QUERIES_OF_FAISS = 4096
_BLOCK_BYTES = 64 << 20
_WIDE_ROWS = 4096
# Gathered or converted vectors are compared in blocks that fit into the processor's cache: 4
# times as fast as blocks of 8 MB (5,000 of 50,000 x 512 rows, one query: 0.35 ms, all rows:
# 2.1 ms).
_CACHED_BYTES = 512 << 10
# From this share of allowed rows on, comparing all rows costs less than gathering them.
_SPARSE = 1 / 4
# FAISS's own scan is faster from this number of queries on.
_FAISS_MIN_QUERIES = 16
# Number of additional rows that FAISS returns, because rounding may rank them too low.
_SPARE = 16
_LOWEST_SCORE = float(np.finfo(np.float32).min)
_TINY = float(np.finfo(np.float32).tiny)


class ExactSearch(BuiltIndex):
    """Exact search of vectors in memory."""

    def __init__(
        self,
        gallery: FloatArray,
        metric: Metric = "dot",
        squares: Float32Array | None = None,
    ) -> None:
        """Keep the vectors (n, d), and their squared lengths (n,) if they are known."""
        self.gallery = gallery
        self._metric = metric
        self._cached_rows = max(1, _CACHED_BYTES // (4 * max(1, gallery.shape[1])))
        self.squares = self._squared_lengths() if squares is None else squares
        self._longest = float(np.sqrt(self.squares.max(initial=0)))

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows nearest to each query; see ``BuiltIndex.search``."""
        n = len(self.gallery)
        scores, rows = empty_results(len(queries), min(k, n))
        depth = min(k, n if allowed is None else int(np.count_nonzero(allowed)))
        if not depth:
            return scores, rows
        step = _QUERIES_OF_FAISS if self._suits_faiss(queries, depth, allowed) else _QUERIES
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            for i, candidates in enumerate(self._candidates(block, depth, allowed), start):
                exact = self._exact_scores(queries[i], candidates)
                best = rank_order(exact, candidates)[:depth]
                scores[i, :depth], rows[i, :depth] = exact[best], candidates[best]
        return scores, rows

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True: all rows are compared."""
        return True

    def _candidates(
        self, queries: Float32Array, k: int, allowed: BoolArray | None
    ) -> list[Int64Array]:
        """Return each query's first ``k`` rows and all that rounding may have displaced."""
        slack = self._slack(queries)
        if not self._suits_faiss(queries, k, allowed):
            return self._scan(queries, k, slack, allowed)
        width = min(len(self.gallery), k + _SPARE)
        scores, rows = nearest(queries, self.gallery, width, l2=self._metric == "l2")
        near = scores >= (scores[:, k - 1] - slack)[:, None]
        # If all returned rows are near, there may be further candidates: scan again.
        short = near[:, -1] & (width < len(self.gallery))
        candidates: list[Int64Array] = [row[mask] for row, mask in zip(rows, near, strict=True)]
        again = np.flatnonzero(short)
        for i, scanned in zip(
            again, self._scan(queries[again], k, slack[again], None), strict=True
        ):
            candidates[i] = scanned
        return candidates

    def _suits_faiss(self, queries: Float32Array, k: int, allowed: BoolArray | None) -> bool:
        """Return True if FAISS is faster: it fuses product and selection, and uses GPUs."""
        return (
            allowed is None
            and len(queries) >= _FAISS_MIN_QUERIES
            and self._metric != "cosine"
            and self.gallery.dtype == np.float32
            and k + _SPARE <= GPU_MOST
            and has_faiss()
        )

    def _scan(
        self, queries: Float32Array, k: int, slack: Float32Array, allowed: BoolArray | None
    ) -> list[Int64Array]:
        candidates = [_Candidates(k, float(margin)) for margin in slack]
        for rows in self._blocks(len(queries), allowed):
            scores = self._approximate_scores(queries, rows)
            if allowed is not None and isinstance(rows, slice):
                scores[:, ~allowed[rows]] = -np.inf
            for own, row_scores in zip(candidates, scores, strict=True):
                own.add(row_scores, rows)
        return [own.rows for own in candidates]

    def _slack(self, queries: Float32Array) -> Float32Array:
        """Return a bound (q,) of the rounding error between two approximate scores of a query.

        |fl(x . y) - x . y| <= d u |x| |y|, whatever the order of the sum (Higham, Accuracy and
        Stability of Numerical Algorithms, 2nd ed., 3.1). The bound is doubled because two
        scores are compared, with a margin for the vectors' norms and for u squared. A squared
        distance is the sum of two squared lengths and a product; each term is at most the
        square of the sum of both lengths.
        """
        own = np.linalg.norm(queries.astype(np.float64), axis=1)
        scale = own * (1 if self._metric == "cosine" else self._longest)
        if self._metric == "l2":
            scale = 2 * (own + self._longest) ** 2
        dim = max(self.gallery.shape[1], 4)
        slack: Float32Array = (2.1 * dim * 2.0**-24 * scale).astype(np.float32)
        return slack

    def _blocks(self, queries: int, allowed: BoolArray | None) -> Iterator[slice | Int64Array]:
        """Yield blocks of rows to compare; only the allowed rows if they are few."""
        n = len(self.gallery)
        step = max(1, _BLOCK_BYTES // (4 * max(1, queries)))
        if allowed is not None and np.count_nonzero(allowed) < n * _SPARSE:
            few = np.flatnonzero(allowed)
            yield from (few[start : start + step] for start in range(0, len(few), step))
        else:
            yield from (slice(start, min(start + step, n)) for start in range(0, n, step))

    def _approximate_scores(
        self, queries: Float32Array, rows: slice | Int64Array
    ) -> Float32Array:
        """Return scores (q, len(rows)) summed in float32; l2 lacks the query's own length."""
        products = self._products(queries, rows)
        if self._metric == "cosine":
            products /= np.sqrt(np.maximum(self.squares[rows], _TINY))
        elif self._metric == "l2":
            products *= 2
            products -= self.squares[rows]
        return products

    def _products(self, queries: Float32Array, rows: slice | Int64Array) -> Float32Array:
        gallery = self.gallery
        if isinstance(rows, slice):
            gallery, rows = gallery[rows], slice(None)
            if gallery.dtype == np.float32:
                return np.asarray(queries @ gallery.T, np.float32)
        count = len(gallery) if isinstance(rows, slice) else len(rows)
        scores = np.empty((len(queries), count), np.float32)
        for start in range(0, count, self._cached_rows):
            part = slice(start, start + self._cached_rows)
            vectors = gallery[part] if isinstance(rows, slice) else gallery.take(rows[part], 0)
            scores[:, part] = queries @ vectors.astype(np.float32, copy=False).T
        return scores

    def _exact_scores(self, query: Float32Array, rows: Int64Array) -> Float32Array:
        """Return scores (len(rows),) that are summed in float64 and rounded once."""
        scores = np.empty(len(rows), np.float32)
        wide = query.astype(np.float64)
        for start in range(0, len(rows), _WIDE_ROWS):
            part = self.gallery[rows[start : start + _WIDE_ROWS]]
            if self._metric == "l2":
                sums = -((part - wide) ** 2).sum(axis=1)
            else:
                sums = (part * wide).sum(axis=1)
            if self._metric == "cosine":
                squares = (part.astype(np.float64) ** 2).sum(axis=1)
                sums /= np.sqrt(np.maximum(squares, _TINY))
            scores[start : start + len(part)] = sums
        return scores

    def _squared_lengths(self) -> Float32Array:
        """Return the squared lengths (n,) of the vectors, float32."""
        squares = np.empty(len(self.gallery), np.float32)
        for start in range(0, len(squares), self._cached_rows):
            part = self.gallery[start : start + self._cached_rows].astype(
                np.float32, copy=False
            )
            squares[start : start + len(part)] = np.einsum("ij,ij->i", part, part)
        return squares


class _Candidates:
    """Candidates of one query: the first k by approximate score, and all within the slack."""

    def __init__(self, k: int, slack: float) -> None:
        self.rows = np.empty(0, np.int64)
        self._k = k
        self._slack = slack
        self._scores = np.empty(0, np.float32)
        self._floor = _LOWEST_SCORE

    def add(self, scores: Float32Array, rows: slice | Int64Array) -> None:
        """Add the scores of a block of ``rows``."""
        floor = max(self._floor, self._threshold(scores))
        near = np.flatnonzero(scores >= floor)
        near_rows = near + rows.start if isinstance(rows, slice) else rows[near]
        if not len(self.rows):
            self.rows, self._scores, self._floor = near_rows, scores[near], floor
            return
        self.rows = np.concatenate([self.rows, near_rows])
        self._scores = np.concatenate([self._scores, scores[near]])
        self._floor = max(self._floor, self._threshold(self._scores))
        mask = self._scores >= self._floor
        self.rows, self._scores = self.rows[mask], self._scores[mask]

    def _threshold(self, scores: Float32Array) -> float:
        """Return the lowest score that may be among the first k of ``scores``."""
        if len(scores) < self._k:
            return _LOWEST_SCORE
        at = len(scores) - self._k
        return float(np.partition(scores, at)[at]) - self._slack
