"""Ranks of the relevant items of every query, from vectors or from ranked lists."""

from likewise.evaluation.ranking.from_blocks import BlockedGallery, BlockedQueries, rank_blocks
from likewise.evaluation.ranking.from_lists import rank_lists
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
    "Groups",
    "Progress",
    "Ranking",
    "RelevantRanks",
    "blocks",
    "distinct",
    "rank_blocks",
    "rank_lists",
    "rank_vectors",
    "without_first",
]
