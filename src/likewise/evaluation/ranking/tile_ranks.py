"""The scores of relevant items, and the number of items ahead of them, tile by tile.

Scores are computed in tiles of a fixed shape, each by one thread, and tiles of different
queries run side by side. Neither the number of threads nor the order of the tiles therefore
changes a bit of a score.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from likewise.evaluation.ranking import compiled_kernels, tile_kernels
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import TILE_QUERIES, offsets
from likewise.formats.array_types import Float32Array, Int64Array

# Counting costs 0.03 ns per score and relevant item, a binary search about 15 ns per score.
_MANY_RELEVANT = 400


@dataclass(frozen=True)
class GalleryTile:
    """A tile of the gallery: its first row, and its vectors (rows, d)."""

    start: int
    vectors: Float32Array

    @property
    def stop(self) -> int:
        """The row behind the last one."""
        return self.start + len(self.vectors)


class TileRanks:
    """Ranks of the relevant items of some queries.

    First the scores of the relevant items of all tiles are added, then the counts of all tiles.

    Attributes:
        own: (m,) float32, scores of the relevant items, in the order of their groups; -inf: the
            item is excluded.
        ahead: (m,) int64, number of items ahead of each one in the tiles that were counted. Of
            queries with many relevant items, an item counts for the first one that it is
            ahead of; see ``ranks``.
        fewest_left_out: the fewest exclusions of a query.
        top: first rows (q, t) int64 and their scores (q, t) float32, which the counts fill.
    """

    def __init__(
        self,
        queries: Float32Array,
        relevant: Groups,
        left_out: Sequence[Groups],
        own: Float32Array | None = None,
    ) -> None:
        """Take the queries.

        Args:
            queries: (q, d); empty to combine results of other objects.
            relevant: relevant rows of every query.
            left_out: rows to exclude from the ranking of every query.
            own: the scores of the relevant items, if they are known.
        """
        self._queries = queries
        self._at = offsets(relevant.sizes())
        self._relevant = RowPairs.of([relevant])
        self._left_out = RowPairs.of(left_out)
        counts = np.bincount(self._left_out.query, minlength=len(relevant))
        self.fewest_left_out = int(counts.min(initial=np.iinfo(np.int64).max))
        self.own = np.empty(self._at[-1], np.float32) if own is None else own
        self.ahead = np.zeros(self._at[-1], np.int64)
        self._filled = np.zeros(len(relevant), np.int64)
        self._order: Int64Array | None = None
        self.top = np.empty((0, 0), np.int64), np.empty((0, 0), np.float32)

    def add_scores(self, tile: GalleryTile, pool: ThreadPoolExecutor) -> None:
        """Add the scores of the relevant items in a tile."""
        list(pool.map(lambda start: self._add_scores(start, tile), self._starts()))

    def add_counts(self, tile: GalleryTile, pool: ThreadPoolExecutor) -> None:
        """Add the number of items of a tile ahead of each relevant item."""
        self._sorted()
        list(pool.map(lambda start: self._add_counts(start, tile), self._starts()))

    def numbers(self, start: int, stop: int) -> Int64Array:
        """Return the numbers of the relevant items with rows from ``start`` to ``stop``."""
        first, last = np.searchsorted(self._relevant.row, [start, stop])
        return self._relevant.number[first:last]

    def ranks(self) -> Int64Array:
        """Return the ranks (m,) of the relevant items, in their order; 0: left out."""
        ahead = self.ahead.copy()
        many = np.diff(self._at) > _MANY_RELEVANT
        order = self._sorted()
        for query in np.flatnonzero(many):
            own = order[self._at[query] : self._at[query + 1]]
            ahead[own] = np.cumsum(ahead[own])
        return np.where(self.own == -np.inf, 0, ahead + 1)

    def _starts(self) -> range:
        return range(0, len(self._queries), TILE_QUERIES)

    def _add_scores(self, start: int, tile: GalleryTile) -> None:
        chosen, scores = self._scores(start, tile)
        query, row, number = self._relevant.inside(tile, chosen)
        self.own[number] = scores[query, row]

    def _add_counts(self, start: int, tile: GalleryTile) -> None:
        chosen, scores = self._scores(start, tile)
        count, bisect, keep = map(
            compiled_kernels.compiled,
            (
                tile_kernels.count_ahead,
                tile_kernels.count_by_bisection,
                tile_kernels.merge_best,
            ),
        )
        state = (self._at, self._sorted(), self.own, self._relevant.row_of, self.ahead)
        sizes = np.diff(self._at)[chosen]
        numbers = np.arange(chosen.start, chosen.stop)
        many = sizes > _MANY_RELEVANT
        where = (scores, chosen.start, tile.start)
        count(numbers[~many], where, state)
        bisect(numbers[many], where, state)
        if self.top[0].shape[1]:
            keep(numbers, where, self.top[0], self.top[1], self._filled)

    def _scores(self, start: int, tile: GalleryTile) -> tuple[slice, Float32Array]:
        """Return some queries and their scores (q, rows); -inf: excluded."""
        chosen = slice(start, min(start + TILE_QUERIES, len(self._queries)))
        scores = self._queries[chosen] @ tile.vectors.T
        query, row, _ = self._left_out.inside(tile, chosen)
        scores[query, row] = -np.inf
        return chosen, scores

    def _sorted(self) -> Int64Array:
        """Return the relevant items (m,) of each query by descending score, then row."""
        if self._order is None:
            query = np.repeat(np.arange(len(self._at) - 1), np.diff(self._at))
            self._order = np.lexsort((self._relevant.row_of, -self.own, query))
        return self._order


@dataclass(frozen=True)
class RowPairs:
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
    def of(cls, groups: Sequence[Groups]) -> "RowPairs":
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

    def inside(
        self, tile: GalleryTile, chosen: slice
    ) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return the pairs in a tile as positions in it, and their numbers."""
        first, last = np.searchsorted(self.row, [tile.start, tile.stop])
        query = self.query[first:last]
        mask = (query >= chosen.start) & (query < chosen.stop)
        row = self.row[first:last][mask] - tile.start
        return query[mask] - chosen.start, row, self.number[first:last][mask]
