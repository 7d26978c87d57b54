"""Where each query's relevant items stand in its ranking: of vectors, or of given lists."""

from likewise.ranking.groups import Groups
from likewise.ranking.lists import rank_lists
from likewise.ranking.ranked import Floats, Ints, Ranked, Ranking, blocks
from likewise.ranking.vectors import Progress, rank_vectors

__all__ = [
    "Floats",
    "Groups",
    "Ints",
    "Progress",
    "Ranked",
    "Ranking",
    "blocks",
    "rank_lists",
    "rank_vectors",
]
