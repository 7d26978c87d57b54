"""Compute the ranks of relevant items in a gallery that is read in blocks.

The gallery is read twice: once for the scores of the relevant items, once to count the items
ahead of them. Neither the memory nor the number of threads changes a bit of a score; see
``tile_ranks``.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from likewise.evaluation.ranking.from_vectors import (
    Progress,
    ascending_ranks,
    check_groups,
    thread_count,
)
from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import TILE_QUERIES, TILE_ROWS, Ranking, offsets
from likewise.evaluation.ranking.tile_ranks import GalleryTile, TileRanks
from likewise.formats.array_types import Float32Array

_AddTile = Callable[[GalleryTile, ThreadPoolExecutor], None]


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
            part = TileRanks(queries.read(chosen), groups[0], groups[1:])
            part.top = top_rows[chosen], top_scores[chosen]
            for number, (tile, add) in enumerate(_twice(gallery, part)):
                add(tile, pool)
                if progress:
                    share = (number + 1) * TILE_ROWS / (2 * gallery.rows)
                    done = start + int(min(share, 1) * (chosen.stop - start))
                    progress(done, queries.rows)
            ranks[at[start] : at[chosen.stop]] = part.ranks()
            longest = max(longest, gallery.rows - part.fewest_left_out)
    if progress:
        progress(queries.rows, queries.rows)
    return ascending_ranks(ranks, relevant, longest, top_rows, top_scores)


def _twice(gallery: BlockedGallery, part: TileRanks) -> Iterator[tuple[GalleryTile, _AddTile]]:
    for add in (part.add_scores, part.add_counts):
        start = 0
        for vectors in gallery.tiles():
            yield GalleryTile(start, vectors), add
            start += len(vectors)
