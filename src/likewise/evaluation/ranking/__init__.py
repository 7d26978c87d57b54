"""Ranks of the relevant items of every query, from vectors or from ranked lists."""

from likewise.evaluation.ranking.from_blocks import BlockedGallery, BlockedQueries, rank_blocks
from likewise.evaluation.ranking.from_lists import rank_lists
from likewise.evaluation.ranking.from_shards import (
    CountedShard,
    QueryGroups,
    RankedRun,
    ShardOfGallery,
    count_shard,
    own_scores,
    query_runs,
    rank_run,
    rank_runs,
    shard_scores,
)
from likewise.evaluation.ranking.from_vectors import Progress, rank_vectors
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import (
    TILE_QUERIES,
    TILE_ROWS,
    Ranking,
    RelevantRanks,
    blocks,
    distinct,
    without_first,
)

__all__ = [
    "TILE_QUERIES",
    "TILE_ROWS",
    "BlockedGallery",
    "BlockedQueries",
    "CountedShard",
    "Groups",
    "Progress",
    "QueryGroups",
    "RankedRun",
    "Ranking",
    "RelevantRanks",
    "ShardOfGallery",
    "blocks",
    "count_shard",
    "distinct",
    "own_scores",
    "query_runs",
    "rank_blocks",
    "rank_lists",
    "rank_run",
    "rank_runs",
    "rank_vectors",
    "shard_scores",
    "without_first",
]
