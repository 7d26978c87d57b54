"""Ranks of relevant items after the first hits of every list were reordered.

The first hits are reordered before excluded items are removed, because a search cannot know
which items a ground truth excludes. Items behind the first hits keep their ranks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from likewise.evaluation.ranking.groups import Groups
from likewise.evaluation.ranking.ranked import Ranking, distinct, offsets
from likewise.evaluation.ranking.reranking import new_order
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array


@dataclass(frozen=True)
class Pairs:
    """Pairs of a query and a gallery row whose ranks are needed: relevant or excluded items.

    Attributes:
        groups: the rows of every query, ascending.
        relevant: whether a pair is relevant and not excluded, in the order of ``groups``.
        most_excluded: largest number of excluded rows of a query.
    """

    groups: Groups
    relevant: BoolArray
    most_excluded: int

    @classmethod
    def of(cls, relevant: Groups, excluded: Sequence[Groups], gallery: int) -> "Pairs":
        """Merge the relevant and the excluded rows of every query."""
        own, others = _keys(relevant, gallery), [_keys(group, gallery) for group in excluded]
        out = distinct(np.concatenate([np.empty(0, np.int64), *others]))
        keys = distinct(np.concatenate([own, out]))
        query, rows = np.divmod(keys, max(gallery, 1))
        ends = offsets(np.bincount(query, minlength=len(relevant)))
        is_out = np.isin(keys, out, assume_unique=True)
        counts = np.bincount(query[is_out], minlength=len(relevant))
        return cls(Groups(rows, ends[:-1], ends[1:]), ~is_out, int(counts.max(initial=0)))


def reordered(
    first: Ranking, plain: Ranking, pairs: Pairs, scores: Float32Array, *, top: int
) -> Ranking:
    """Return the ranking whose first hits are in the order of new scores.

    Args:
        first: the first ranking of the rows of ``pairs``, in which no excluded row is removed;
            its first hits are those that are rescored, and further ones behind them.
        plain: the first ranking without the excluded rows.
        pairs: the relevant and the excluded rows.
        scores: (q, t) new scores of the first t hits; -inf where there is no hit.
        top: number of first hits to keep.
    """
    order = new_order(scores)
    width = scores.shape[1]
    query = first.ranked.query_numbers()
    ranks = first.ranked.ranks.copy()
    if width:
        early = ranks <= width
        ranks[early] = _inverse(order)[query[early], ranks[early] - 1] + 1
    relevant = pairs.relevant[_positions(pairs.groups, query, first.items)]
    ranks -= _excluded_ahead(query, ranks, relevant)
    chosen = np.flatnonzero(relevant)
    chosen = chosen[np.lexsort((ranks[chosen], query[chosen]))]
    counts = np.bincount(query[chosen], minlength=len(plain.ranked))
    ranked = replace(plain.ranked, offsets=offsets(counts), ranks=ranks[chosen])
    rows, hit_scores = _first_hits(first, order, scores)
    rows, hit_scores = _without(rows, hit_scores, pairs, top)
    return Ranking(ranked, first.items[chosen], rows, hit_scores)


def _keys(groups: Groups, gallery: int) -> Int64Array:
    query, row = groups.pairs()
    return query * gallery + row


def _inverse(order: Int64Array) -> Int64Array:
    """Return the new place (q, t) of every old place."""
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(order.shape[1])[None, :], 1)
    return places


def _positions(groups: Groups, query: Int64Array, rows: Int64Array) -> Int64Array:
    """Return the number of each pair of a query and a row in ``groups``, which are sorted."""
    size = int(groups.rows.max(initial=0)) + 1
    number, row = groups.pairs()
    return np.searchsorted(number * size + row, query * size + rows)


def _excluded_ahead(query: Int64Array, ranks: Int64Array, relevant: BoolArray) -> Int64Array:
    """Return the number of excluded items ahead of each item in the list of its query."""
    order = np.lexsort((ranks, query))
    out = ~relevant[order]
    ahead = np.cumsum(out)
    starts = np.searchsorted(query[order], query[order], side="left")
    before = np.concatenate([np.zeros(1, np.int64), ahead])[starts]
    counts = np.empty(len(query), np.int64)
    counts[order] = ahead - out - before
    return counts


def _first_hits(
    first: Ranking, order: Int64Array, scores: Float32Array
) -> tuple[Int64Array, Float32Array]:
    """Return the first hits in their new order, and those behind them without a score."""
    width = order.shape[1]
    rows = np.take_along_axis(first.top_rows[:, :width], order, 1)
    tail = first.top_rows[:, width:]
    new = np.take_along_axis(scores, order, 1)
    unknown = np.full(tail.shape, np.nan, np.float32)
    return np.hstack([rows, tail]), np.hstack([new, unknown])


def _without(
    rows: Int64Array, scores: Float32Array, pairs: Pairs, top: int
) -> tuple[Int64Array, Float32Array]:
    """Remove excluded rows from the lists of hits, and keep the first ``top``."""
    query, row = pairs.groups.pairs()
    size = int(max(rows.max(initial=0), row.max(initial=0))) + 1
    out = distinct((query * size + row)[~pairs.relevant])
    keys = np.arange(len(rows))[:, None] * size + rows
    gone = (rows < 0) | np.isin(keys, out)
    order = np.argsort(gone, axis=1, kind="stable")[:, :top]
    gone = np.take_along_axis(gone, order, 1)
    kept = np.where(gone, -1, np.take_along_axis(rows, order, 1))
    known = np.where(gone, np.float32(np.nan), np.take_along_axis(scores, order, 1))
    return kept, known
