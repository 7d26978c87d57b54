"""Ranks of relevant items in existing ranked lists."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import Ranking, RelevantRanks, blocks, offsets
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array


def rank_lists(
    lists: npt.NDArray[np.integer],
    relevant: Groups,
    left_out: Sequence[Groups],
    gallery: int,
    *,
    scores: Float32Array | None = None,
    top: int = 0,
) -> Ranking:
    """Find the ranks of the relevant items after excluded rows are removed from the lists.

    Args:
        lists: (q, k) gallery rows, best first, each once in a list; short lists end with -1.
        relevant: relevant rows of every query.
        left_out: rows to exclude from the ranking of every query.
        gallery: number of gallery rows.
        scores: (q, k) scores of ``lists``, if known.
        top: number of first hits to keep.

    Raises:
        ValueError: the shapes of the arrays do not match.
    """
    count, width = lists.shape
    if any(len(groups) != count for groups in (relevant, *left_out)):
        raise ValueError("expected one group of rows per query")
    ranks_and_rows: list[tuple[Int64Array, Int64Array]] = [
        (np.empty(0, np.int64), np.empty(0, np.int64))
    ]
    hits, lengths, expected, rankable = np.zeros((4, count), np.int64)
    top_rows, top_scores = (
        np.full((count, top), -1),
        np.full((count, top), np.nan, np.float32),
    )
    for rows in blocks(count, gallery * 2 + width * 16):
        block = np.asarray(lists[rows], np.int64)
        excluded = _members(left_out, rows, gallery)
        is_relevant = _members([relevant], rows, gallery) & ~excluded
        expected[rows] = is_relevant.sum(axis=1)
        rankable[rows] = gallery - excluded.sum(axis=1)
        absent = (block < 0) | np.take_along_axis(excluded, np.maximum(block, 0), 1)
        is_hit = np.take_along_axis(is_relevant, np.maximum(block, 0), 1) & ~absent
        rank = np.cumsum(~absent, axis=1, dtype=np.int64)
        ranks_and_rows.append((rank[is_hit], block[is_hit]))
        hits[rows], lengths[rows] = is_hit.sum(axis=1), (~absent).sum(axis=1)
        query, column = np.nonzero(~absent & (rank <= top))
        at = (query + rows.start, rank[query, column] - 1)
        top_rows[at] = block[query, column]
        if scores is not None:
            top_scores[at] = scores[rows][query, column]
    ranks, items = (np.concatenate(parts) for parts in zip(*ranks_and_rows, strict=True))
    longest, complete = int(lengths.max(initial=0)), bool((lengths == rankable).all())
    relevant_ranks = RelevantRanks(offsets(hits), ranks, expected, longest, complete)
    return Ranking(relevant_ranks, items, top_rows, top_scores)


def _members(groups: Sequence[Groups], queries: slice, gallery: int) -> BoolArray:
    """Return whether each row is in any group of the query: (queries, gallery)."""
    flags = np.zeros((queries.stop - queries.start, gallery), bool)
    for group in groups:
        flags[group.part(queries).pairs()] = True
    return flags
