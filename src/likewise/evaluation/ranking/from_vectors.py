"""Compute the ranks of relevant items from inner products, without sorting the gallery.

The rank of an item is 1 + the number of items ahead of it. Only the scores of relevant items
are compared with all others: one pass over the scores per relevant item instead of a sort.
Scores are computed in blocks of queries; the query x gallery matrix is never stored. A block is
computed in tiles of a fixed shape, each by one thread, so that the number of threads changes no
bit of a score.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import product

import numpy as np

from likewise.evaluation.ranking import compiled_kernels, plain_kernels
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.plain_kernels import Kernel
from likewise.evaluation.ranking.ranked import (
    TILE_QUERIES,
    TILE_ROWS,
    Ranking,
    RelevantRanks,
    blocks,
    distinct,
    offsets,
)
from likewise.formats.array_types import Float32Array, Int64Array

Progress = Callable[[int, int], None]
"""Callback with the number of finished queries and of all queries."""

# A pass costs 0.03 ns per score and relevant item, a stable sort 50 ns per score (of 12,000).
_MANY_RELEVANT = 1500

_PLAIN_WORK = 300_000_000
"""Scores to compare up to which NumPy is faster than loading numba."""


def rank_vectors(
    queries: Float32Array,
    gallery: Float32Array,
    relevant: Groups,
    left_out: Sequence[Groups] = (),
    *,
    top: int = 0,
    progress: Progress | None = None,
) -> Ranking:
    """Rank the gallery by inner product for every query and keep the ranks of relevant items.

    Items are ordered by score, descending; ties by gallery row, ascending.

    Args:
        queries: (q, d) float32; no score may be NaN or infinite.
        gallery: (n, d) float32.
        relevant: relevant rows of every query.
        left_out: rows to exclude from the ranking of every query.
        top: number of first hits to keep.
        progress: called after every block of queries.

    Raises:
        ValueError: the shapes of the arrays do not match.
    """
    from threadpoolctl import threadpool_limits

    check_groups(len(queries), len(gallery), (relevant, *left_out))
    at = offsets(relevant.sizes())
    ranks = np.empty(at[-1], np.int64)
    width = min(top, len(gallery))
    top_rows = np.full((len(queries), width), -1)
    top_scores = np.full((len(queries), width), np.nan, np.float32)
    count, keep_best = _kernels(len(gallery), len(ranks), width * len(queries))
    longest = 0
    with ThreadPoolExecutor(thread_count()) as pool, threadpool_limits(1, "blas"):
        for rows, scores in _score_blocks(queries, gallery, pool):
            longest = max(longest, len(gallery) - _leave_out(scores, left_out, rows))
            own = relevant.part(rows)
            block = (scores, own.rows, own.begins, own.ends, at[rows])
            many = own.sizes() > _MANY_RELEVANT
            _spread(pool, count, np.flatnonzero(~many), block, ranks)
            _spread(pool, plain_kernels.rank_by_sorting, np.flatnonzero(many), block, ranks)
            if width:
                best = scores, top_rows[rows], top_scores[rows]
                _spread(pool, keep_best, np.arange(len(scores)), *best)
            if progress:
                progress(rows.stop, len(queries))
    return ascending_ranks(ranks, relevant, longest, top_rows, top_scores)


def check_groups(queries: int, gallery: int, groups: Sequence[Groups]) -> None:
    """Check the rows of groups, because the kernels access memory without bounds checks.

    Raises:
        ValueError: there is not one group per query, or a row is not in the gallery.
    """
    if any(len(group) != queries for group in groups):
        raise ValueError("expected one group of rows per query")
    for group in groups:
        rows = group.pairs()[1]
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < gallery:
            raise ValueError("a row of a group is outside the gallery")


def _score_blocks(
    queries: Float32Array, gallery: Float32Array, pool: Executor
) -> Iterator[tuple[slice, Float32Array]]:
    """Yield slices of queries with their scores, which share one buffer."""
    buffer: Float32Array | None = None
    for rows in blocks(len(queries), len(gallery) * 4):
        part = queries[rows]
        if buffer is None:
            buffer = np.empty((len(part), len(gallery)), np.float32)
        scores = buffer[: len(part)]
        _multiply(pool, part, gallery, scores)
        yield rows, scores


def _multiply(
    pool: Executor, queries: Float32Array, gallery: Float32Array, scores: Float32Array
) -> None:
    """Write the inner products of ``queries`` and ``gallery`` into ``scores``, in tiles."""

    def tile(corner: tuple[int, int]) -> None:
        rows, columns = corner
        mine = slice(rows, rows + TILE_QUERIES), slice(columns, columns + TILE_ROWS)
        np.matmul(queries[mine[0]], gallery[mine[1]].T, out=scores[mine])

    starts = range(0, len(queries), TILE_QUERIES), range(0, len(gallery), TILE_ROWS)
    list(pool.map(tile, product(*starts)))


def _leave_out(scores: Float32Array, left_out: Sequence[Groups], queries: slice) -> int:
    """Set the scores of excluded rows to -inf; return the fewest exclusions of a query."""
    excluded = [np.empty(0, np.int64)]
    for group in left_out:
        query, row = group.part(queries).pairs()
        excluded.append(query * scores.shape[1] + row)
    positions = distinct(np.concatenate(excluded))
    scores.reshape(-1)[positions] = -np.inf
    counts = np.bincount(positions // max(scores.shape[1], 1), minlength=len(scores))
    return int(counts.min(initial=scores.shape[1]))


def ascending_ranks(
    ranks: Int64Array,
    relevant: Groups,
    longest: int,
    top_rows: Int64Array,
    top_scores: Float32Array,
) -> Ranking:
    """Sort the ranks of every query, and drop those of excluded items (rank 0)."""
    query, items = relevant.pairs()
    kept = ranks > 0
    query, items, ranks = query[kept], items[kept], ranks[kept]
    order = np.argsort(query * (int(ranks.max(initial=0)) + 1) + ranks)
    counts = np.bincount(query, minlength=len(relevant))
    ranked = RelevantRanks(offsets(counts), ranks[order], counts, longest, complete=True)
    return Ranking(ranked, items[order], top_rows, top_scores)


def thread_count() -> int:
    """Return the number of processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _spread(pool: Executor, kernel: Kernel, chosen: Int64Array, *arguments: object) -> None:
    """Run ``kernel`` in all threads, each for a part of the ``chosen`` rows of a block."""
    parts = [part for part in np.array_split(chosen, thread_count()) if len(part)]
    # list() waits for all parts and raises their exceptions.
    list(pool.map(lambda part: kernel(part, *arguments), parts))


def _kernels(gallery: int, relevant: int, first: int) -> tuple[Kernel, Kernel]:
    """Return the functions that count ranks and keep first hits.

    numba takes half a second to load, which NumPy does not need for a small gallery. Both give
    the same results.

    Args:
        gallery: number of scores of a query.
        relevant: number of relevant items of all queries.
        first: number of first hits of all queries.
    """
    work = gallery * (relevant + first // 8)
    if work < _PLAIN_WORK or not compiled_kernels.is_installed():
        return plain_kernels.rank_by_counting, plain_kernels.keep_best
    compiled = compiled_kernels.compiled
    return compiled(compiled_kernels.rank_by_counting), compiled(compiled_kernels.keep_best)
