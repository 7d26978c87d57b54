"""Compute the ranks of relevant items in a gallery by shards, and combine them.

A shard is a run of queries and a run of gallery rows. The first stage returns the scores of the
relevant items of the shard, the second one, which needs those of all shards of its queries, the
number of items of the shard ahead of each relevant item. Tiles are those of ``from_blocks``, so
every bit of the ranking is that of ``rank_blocks``.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from likewise.evaluation.ranking.from_vectors import ascending_ranks, thread_count
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import TILE_QUERIES, Ranking, offsets
from likewise.evaluation.ranking.reranking import new_order
from likewise.evaluation.ranking.tile_ranks import GalleryTile, TileRanks
from likewise.formats.array_types import Float32Array, Int64Array

RUN_QUERIES = 256 * TILE_QUERIES
"""Number of queries of a shard, whose vectors are in memory at once."""


@dataclass(frozen=True)
class QueryGroups:
    """The relevant and the excluded gallery rows of some queries."""

    relevant: Groups
    left_out: tuple[Groups, ...]

    def part(self, queries: slice) -> "QueryGroups":
        """Return the groups of a slice of the queries."""
        return QueryGroups(
            self.relevant.part(queries), tuple(one.part(queries) for one in self.left_out)
        )


@dataclass(frozen=True)
class ShardOfGallery:
    """The vectors of a shard.

    Attributes:
        queries: (q, d) float32; no score may be NaN or infinite.
        start: first gallery row of the shard, a multiple of ``TILE_ROWS``.
        tiles: yields the vectors (``TILE_ROWS``, d) float32 of the shard; the last tile of the
            gallery may be shorter.
        groups: the rows of every query, also those outside the shard.
    """

    queries: Float32Array
    start: int
    tiles: Iterable[Float32Array]
    groups: QueryGroups


@dataclass(frozen=True)
class CountedShard:
    """The second result of a shard.

    Attributes:
        ahead: (m,) int64, number of its items ahead of each relevant item of the queries.
        top_rows: (q, t) int64, its first gallery rows; -1 where it has fewer.
        top_scores: (q, t) float32, their scores; NaN where it has fewer.
    """

    ahead: Int64Array
    top_rows: Int64Array
    top_scores: Float32Array


def query_runs(queries: int) -> list[slice]:
    """Return the runs of queries of the shards."""
    starts = range(0, queries, RUN_QUERIES)
    return [slice(start, min(start + RUN_QUERIES, queries)) for start in starts]


def shard_scores(shard: ShardOfGallery) -> Float32Array:
    """Return the scores of the relevant items in a shard, in the order of ``own_scores``."""
    ranks = TileRanks(shard.queries, shard.groups.relevant, shard.groups.left_out)
    stop = shard.start
    with _threads() as pool:
        for tile in _tiles(shard):
            ranks.add_scores(tile, pool)
            stop = tile.stop
    return ranks.own[ranks.numbers(shard.start, stop)]


def own_scores(
    groups: QueryGroups, scores: Sequence[Float32Array], runs: Sequence[slice]
) -> Float32Array:
    """Return the scores (m,) of all relevant items of some queries.

    Args:
        groups: the rows of the queries.
        scores: the first results of all shards of the queries.
        runs: the gallery rows of these shards.

    Raises:
        ValueError: a shard has another number of scores than relevant items.
    """
    ranks = _combined(groups)
    for part, rows in zip(scores, runs, strict=True):
        numbers = ranks.numbers(rows.start, rows.stop)
        if len(part) != len(numbers):
            raise ValueError("expected one score per relevant item of the shard")
        ranks.own[numbers] = part
    return ranks.own


def count_shard(shard: ShardOfGallery, own: Float32Array, top: int) -> CountedShard:
    """Count the items of a shard ahead of each relevant item, and keep its first hits.

    Args:
        shard: the shard.
        own: (m,) see ``own_scores``.
        top: number of first hits to keep.
    """
    ranks = TileRanks(shard.queries, shard.groups.relevant, shard.groups.left_out, own)
    count = len(shard.queries)
    ranks.top = np.full((count, top), -1), np.full((count, top), np.nan, np.float32)
    with _threads() as pool:
        for tile in _tiles(shard):
            ranks.add_counts(tile, pool)
    return CountedShard(ranks.ahead, *ranks.top)


@dataclass(frozen=True)
class RankedRun:
    """The ranks of the relevant items of a run of queries.

    Attributes:
        ranks: (m,) int64; 0: excluded.
        fewest_left_out: the fewest exclusions of a query.
        top_rows: (q, t) int64.
        top_scores: (q, t) float32.
    """

    ranks: Int64Array
    fewest_left_out: int
    top_rows: Int64Array
    top_scores: Float32Array


def rank_run(
    groups: QueryGroups, own: Float32Array, shards: Iterable[CountedShard], top: int
) -> RankedRun:
    """Combine the shards of a run of queries, which are in the order of the gallery.

    Args:
        groups: the rows of the queries.
        own: (m,) see ``own_scores``.
        shards: the second results of all shards of the queries.
        top: number of first hits to keep.
    """
    ranks = _combined(groups, own)
    count = len(groups.relevant)
    rows = np.full((count, top), -1)
    scores = np.full((count, top), np.nan, np.float32)
    for one in shards:
        ranks.ahead += one.ahead
        rows, scores = _best(
            np.hstack([rows, one.top_rows]), np.hstack([scores, one.top_scores]), top
        )
    return RankedRun(ranks.ranks(), ranks.fewest_left_out, rows, scores)


def rank_runs(relevant: Groups, gallery: int, runs: Sequence[RankedRun]) -> Ranking:
    """Return the ranking of all queries.

    Args:
        relevant: relevant rows of every query.
        gallery: number of gallery rows.
        runs: the ranks of all runs, in the order of the queries.
    """
    ranks = np.zeros(offsets(relevant.sizes())[-1], np.int64)
    start = 0
    for run in runs:
        ranks[start : start + len(run.ranks)] = run.ranks
        start += len(run.ranks)
    longest = max((gallery - run.fewest_left_out for run in runs), default=0)
    top_rows = np.concatenate([run.top_rows for run in runs])
    top_scores = np.concatenate([run.top_scores for run in runs])
    return ascending_ranks(ranks, relevant, longest, top_rows, top_scores)


def _tiles(shard: ShardOfGallery) -> Iterator[GalleryTile]:
    start = shard.start
    for vectors in shard.tiles:
        yield GalleryTile(start, vectors)
        start += len(vectors)


def _combined(groups: QueryGroups, own: Float32Array | None = None) -> TileRanks:
    return TileRanks(np.empty((0, 0), np.float32), groups.relevant, groups.left_out, own)


def _best(rows: Int64Array, scores: Float32Array, top: int) -> tuple[Int64Array, Float32Array]:
    """Keep the first hits of lists whose ties are in the order of the gallery."""
    known = np.where(rows < 0, np.float32(-np.inf), scores)
    order = new_order(known)[:, :top]
    return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of threads, each of which computes a product by itself."""
    from threadpoolctl import threadpool_limits

    with ThreadPoolExecutor(thread_count()) as pool, threadpool_limits(1, "blas"):
        yield pool
