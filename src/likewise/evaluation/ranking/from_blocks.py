"""Compute the ranks of relevant items in a gallery that is read in blocks.

The gallery is read twice: once for the scores of the relevant items, once to count the items
ahead of them. Scores are computed in tiles of a fixed shape, each by one thread, and tiles of
different queries run side by side. Neither the memory nor the number of threads therefore
changes a bit of a score.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from likewise.evaluation.ranking import compiled_kernels, tile_kernels
from likewise.evaluation.ranking.from_vectors import (
    Progress,
    ascending_ranks,
    check_groups,
    thread_count,
)
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import TILE_QUERIES, TILE_ROWS, Ranking, offsets
from likewise.formats.array_types import Float32Array, Int64Array

# Counting costs 0.03 ns per score and relevant item, a binary search about 15 ns per score.
_MANY_RELEVANT = 400


@dataclass(frozen=True)
class BlockedGallery:
    """A gallery that is read in order.

    Attributes:
        rows: number of its items.
        tiles: yields its vectors (``TILE_ROWS``, d) float32; the last tile may be shorter.
    """

    rows: int
    tiles: Callable[[], Iterator[Float32Array]]


@dataclass(frozen=True)
class BlockedQueries:
    """Queries that are read part by part.

    Attributes:
        rows: number of queries.
        read: returns the vectors (q, d) float32 of a slice of the queries.
        part: number of queries whose vectors are in memory at a time.
    """

    rows: int
    read: Callable[[slice], Float32Array]
    part: int


def rank_blocks(
    queries: BlockedQueries,
    gallery: BlockedGallery,
    relevant: Groups,
    left_out: Sequence[Groups] = (),
    *,
    top: int = 0,
    progress: Progress | None = None,
) -> Ranking:
    """Rank a gallery that is read in blocks for every query; see ``rank_vectors``.

    The ranks of both functions may differ where scores differ only by rounding.

    Args:
        queries: the queries; no score may be NaN or infinite.
        gallery: the gallery.
        relevant: relevant rows of every query.
        left_out: rows to exclude from the ranking of every query.
        top: number of first hits to keep.
        progress: called after every tile of the gallery, with queries as its unit.

    Raises:
        ValueError: the shapes of the arrays do not match.
    """
    from threadpoolctl import threadpool_limits

    check_groups(queries.rows, gallery.rows, (relevant, *left_out))
    at = offsets(relevant.sizes())
    ranks = np.zeros(at[-1], np.int64)
    width = min(top, gallery.rows)
    top_rows = np.full((queries.rows, width), -1)
    top_scores = np.full((queries.rows, width), np.nan, np.float32)
    longest = 0
    size = max(queries.part // TILE_QUERIES, 1) * TILE_QUERIES
    with ThreadPoolExecutor(thread_count()) as pool, threadpool_limits(1, "blas"):
        for start in range(0, queries.rows, size):
            chosen = slice(start, min(start + size, queries.rows))
            groups = [group.part(chosen) for group in (relevant, *left_out)]
            part = _Part(queries.read(chosen), groups[0], groups[1:])
            part.top = top_rows[chosen], top_scores[chosen]
            for number, tile in enumerate(_twice(gallery)):
                part.add(tile, pool)
                if progress:
                    share = (number + 1) * TILE_ROWS / (2 * gallery.rows)
                    done = start + int(min(share, 1) * (chosen.stop - start))
                    progress(done, queries.rows)
            ranks[at[start] : at[chosen.stop]] = part.ranks()
            longest = max(longest, gallery.rows - part.fewest_left_out)
    if progress:
        progress(queries.rows, queries.rows)
    return ascending_ranks(ranks, relevant, longest, top_rows, top_scores)


@dataclass(frozen=True)
class _Tile:
    """A tile of the gallery: its first row, its vectors, and whether it is read again."""

    start: int
    vectors: Float32Array
    again: bool

    @property
    def stop(self) -> int:
        return self.start + len(self.vectors)


def _twice(gallery: BlockedGallery) -> Iterator[_Tile]:
    for again in (False, True):
        start = 0
        for vectors in gallery.tiles():
            yield _Tile(start, vectors, again)
            start += len(vectors)


class _Part:
    """Ranks of the relevant items of some queries."""

    def __init__(
        self, queries: Float32Array, relevant: Groups, left_out: Sequence[Groups]
    ) -> None:
        self._queries = queries
        self._at = offsets(relevant.sizes())
        self._relevant = _RowPairs.of([relevant])
        self._left_out = _RowPairs.of(left_out)
        counts = np.bincount(self._left_out.query, minlength=len(queries))
        self.fewest_left_out = int(counts.min(initial=np.iinfo(np.int64).max))
        self._own = np.empty(self._at[-1], np.float32)
        self._ahead = np.zeros(self._at[-1], np.int64)
        self._filled = np.zeros(len(queries), np.int64)
        self._order: Int64Array | None = None
        self._count, self._bisect, self._keep = map(
            compiled_kernels.compiled,
            (
                tile_kernels.count_ahead,
                tile_kernels.count_by_bisection,
                tile_kernels.merge_best,
            ),
        )
        self.top = np.empty((0, 0), np.int64), np.empty((0, 0), np.float32)

    def add(self, tile: _Tile, pool: ThreadPoolExecutor) -> None:
        """Add the scores of a tile: of the relevant items, then the counts ahead of them."""
        if tile.again and self._order is None:
            self._order = self._sorted()
        starts = range(0, len(self._queries), TILE_QUERIES)
        list(pool.map(lambda start: self._add(start, tile), starts))

    def _add(self, start: int, tile: _Tile) -> None:
        chosen = slice(start, min(start + TILE_QUERIES, len(self._queries)))
        scores = self._queries[chosen] @ tile.vectors.T
        query, row, _ = self._left_out.inside(tile, chosen)
        scores[query, row] = -np.inf
        if not tile.again:
            query, row, number = self._relevant.inside(tile, chosen)
            self._own[number] = scores[query, row]
            return
        state = (self._at, self._order, self._own, self._relevant.row_of, self._ahead)
        sizes = np.diff(self._at)[chosen]
        numbers = np.arange(chosen.start, chosen.stop)
        many = sizes > _MANY_RELEVANT
        where = (scores, chosen.start, tile.start)
        self._count(numbers[~many], where, state)
        self._bisect(numbers[many], where, state)
        if self.top[0].shape[1]:
            self._keep(numbers, where, self.top[0], self.top[1], self._filled)

    def _sorted(self) -> Int64Array:
        """Return the relevant items (m,) of each query by descending score, then row."""
        query = np.repeat(np.arange(len(self._at) - 1), np.diff(self._at))
        order: Int64Array = np.lexsort((self._relevant.row_of, -self._own, query))
        return order

    def ranks(self) -> Int64Array:
        """Return the ranks (m,) of the relevant items, in their order; 0: left out."""
        many = np.diff(self._at) > _MANY_RELEVANT
        order = np.arange(0) if self._order is None else self._order
        for query in np.flatnonzero(many):
            own = order[self._at[query] : self._at[query + 1]]
            self._ahead[own] = np.cumsum(self._ahead[own])
        return np.where(self._own == -np.inf, 0, self._ahead + 1)


@dataclass(frozen=True)
class _RowPairs:
    """Pairs of a query and a gallery row, sorted by row.

    Attributes:
        query: (m,) int64.
        row: (m,) int64, ascending.
        number: (m,) int64, place of the pair in the groups.
        row_of: (m,) int64, the rows in the order of the groups.
    """

    query: Int64Array
    row: Int64Array
    number: Int64Array
    row_of: Int64Array

    @classmethod
    def of(cls, groups: Sequence[Groups]) -> "_RowPairs":
        """Collect the pairs of ``groups``; of several groups, each pair once."""
        pairs = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        pairs += [group.pairs() for group in groups]
        query, row = (np.concatenate(part) for part in zip(*pairs, strict=True))
        order = np.lexsort((query, row))
        if len(groups) > 1:
            ordered = np.stack([query[order], row[order]])
            new = np.ones(len(order), bool)
            new[1:] = (np.diff(ordered) != 0).any(axis=0)
            order = order[new]
        return cls(query[order], row[order], order, row)

    def inside(self, tile: _Tile, chosen: slice) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return the pairs in a tile as positions in it, and their numbers."""
        first, last = np.searchsorted(self.row, [tile.start, tile.stop])
        query = self.query[first:last]
        mask = (query >= chosen.start) & (query < chosen.stop)
        row = self.row[first:last][mask] - tile.start
        return query[mask] - chosen.start, row, self.number[first:last][mask]
