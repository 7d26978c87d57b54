"""Where each query's relevant items stand in its ranking: of vectors, or of given lists."""

from likewise.evaluation.ranking.from_lists import rank_lists
from likewise.evaluation.ranking.from_vectors import Progress, rank_vectors
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import Floats, Ints, Ranked, Ranking, blocks

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
