"""The ranks of relevant items in rankings that somebody else made."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import (
    Floats,
    Ints,
    Ranked,
    Ranking,
    blocks,
    offsets,
)

Flags = npt.NDArray[np.bool_]


def rank_lists(
    lists: npt.NDArray[np.integer],
    relevant: Groups,
    left_out: Sequence[Groups],
    gallery: int,
    *,
    scores: Floats | None = None,
    top: int = 0,
) -> Ranking:
    """Keep the relevant items' ranks; what is left out goes, and what is behind it moves up.

    Args:
        lists: (q, k) gallery rows, best first, none twice in a list; -1 where a list has no
            more.
        relevant: each query's relevant rows.
        left_out: rows that each query's ranking is to be without.
        gallery: how many rows there are to rank.
        scores: (q, k) of ``lists``, where they are known.
        top: how many first hits to keep.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    count, width = lists.shape
    if any(len(groups) != count for groups in (relevant, *left_out)):
        raise ValueError("one group of rows a query")
    found: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    hits, lengths, wanted, rankable = np.zeros((4, count), np.int64)
    first = np.full((count, top), -1), np.full((count, top), np.nan, np.float32)
    for rows in blocks(count, gallery * 2 + width * 16):
        block = np.asarray(lists[rows], np.int64)
        like = _members([relevant], rows, gallery)
        gone = _members(left_out, rows, gallery)
        like &= ~gone
        wanted[rows], rankable[rows] = like.sum(axis=1), gallery - gone.sum(axis=1)
        absent = (block < 0) | np.take_along_axis(gone, np.maximum(block, 0), 1)
        good = np.take_along_axis(like, np.maximum(block, 0), 1) & ~absent
        place = np.cumsum(~absent, axis=1, dtype=np.int64)
        found.append((place[good], block[good]))
        hits[rows], lengths[rows] = good.sum(axis=1), (~absent).sum(axis=1)
        query, column = np.nonzero(~absent & (place <= top))
        at = (query + rows.start, place[query, column] - 1)
        first[0][at] = block[query, column]
        if scores is not None:
            first[1][at] = scores[rows][query, column]
    ranks, items = (np.concatenate(parts) for parts in zip(*found, strict=True))
    longest, whole = int(lengths.max(initial=0)), bool((lengths == rankable).all())
    return Ranking(Ranked(offsets(hits), ranks, wanted, longest, whole), items, *first)


def _members(groups: Sequence[Groups], queries: slice, gallery: int) -> Flags:
    """(queries, gallery) whether each row is in any of the query's groups."""
    flags = np.zeros((queries.stop - queries.start, gallery), bool)
    for group in groups:
        flags[group.part(queries).pairs()] = True
    return flags
