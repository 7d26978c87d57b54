"""Where each query's relevant items stand in its ranking, without sorting the gallery.

The rank of an item is 1 + the number of items ahead of it, so only the relevant items' scores
are compared with the others': one pass over the scores for each of them in place of a sort, and
no query x gallery matrix is ever held, only a block of its rows.
"""

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Called with the queries that are done and the queries in all."""

_Block = tuple[Floats, Ints, Ints, Ints, Ints, Ints]
_Kernel = Callable[[Ints, _Block, Ints], None]

_BLOCK_BYTES = 48 << 20
_FEWEST_ROWS, _MOST_ROWS = 16, 1024
# A pass costs 0.03 ns a score and relevant item, a stable sort 50 ns a score (12,000 scores).
_MANY_RELEVANT = 1500


@dataclass(frozen=True)
class Ranked:
    """The ranks of each query's relevant gallery items: all that a ranking metric needs.

    Query ``i`` has ``ranks[offsets[i]:offsets[i + 1]]``, 1-based and ascending; the relevant
    items that are not in its list have none.

    Attributes:
        offsets: (q + 1,) int64.
        ranks: (offsets[-1],) int64.
        relevant: (q,) int64, the relevant items in the gallery, listed or not; the query
            itself is not among them where it is excluded.
        depth: how many items the longest list has.
        complete: whether every list ranks the whole gallery.
    """

    offsets: Ints
    ranks: Ints
    relevant: Ints
    depth: int
    complete: bool

    def __len__(self) -> int:
        """How many queries there are."""
        return len(self.relevant)

    def hits(self) -> Ints:
        """(q,) int64: how many relevant items each list holds."""
        return np.diff(self.offsets)

    def query(self) -> Ints:
        """(offsets[-1],) int64: the query of each of ``ranks``."""
        return np.repeat(np.arange(len(self)), self.hits())

    def cut(self, depth: int) -> "Ranked":
        """The same with every list cut after its first ``depth`` items."""
        if depth >= self.depth:
            return self
        kept = self.ranks <= depth
        hits = np.bincount(self.query()[kept], minlength=len(self))
        return replace(
            self, offsets=_offsets(hits), ranks=self.ranks[kept], depth=depth, complete=False
        )


def rank_positives(
    queries: Floats,
    gallery: Floats,
    query_labels: Ints,
    gallery_labels: Ints,
    *,
    exclude: Ints,
    progress: Progress | None = None,
) -> Ranked:
    """Rank the gallery by inner product for every query and keep the relevant items' ranks.

    The order is total: score descending, then gallery row ascending.

    Args:
        queries: (q, d) float32; no score may be NaN.
        gallery: (n, d) float32.
        query_labels: (q,) int64 class codes; a negative one is like no other.
        gallery_labels: (n,) int64 class codes.
        exclude: (q,) int64, the gallery row to leave out of each query's ranking, or -1.
        progress: told after every block of queries.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    _check(len(queries), len(gallery), query_labels, gallery_labels, exclude)
    order, begins, ends = _class_rows(query_labels, gallery_labels)
    relevant = ends - begins - _is_relevant(exclude, query_labels, gallery_labels)
    offsets = _offsets(relevant)
    ranks = np.empty(offsets[-1], np.int64)
    by_sorting = relevant > _MANY_RELEVANT
    threads = _threads()
    with ThreadPoolExecutor(threads) as pool:
        for at, scores in _score_blocks(queries, gallery):
            rows = slice(at, at + len(scores))
            block = (scores, order, begins[rows], ends[rows], exclude[rows], offsets[rows])
            for kernel, chosen in ((_counting(), ~by_sorting[rows]), (_sort, by_sorting[rows])):
                run = functools.partial(_run, kernel, block, ranks)
                # list() waits for every part and raises what any of them raised.
                list(pool.map(run, np.array_split(np.flatnonzero(chosen), threads)))
            if progress:
                progress(at + len(scores), len(queries))
    everyone_left_out = len(exclude) > 0 and bool((exclude >= 0).all())
    ranked = Ranked(offsets, ranks, relevant, len(gallery) - everyone_left_out, complete=True)
    return replace(ranked, ranks=_ascending(ranked))


def ranks_from_lists(
    lists: Ints, query_labels: Ints, gallery_labels: Ints, *, exclude: Ints
) -> Ranked:
    """Keep the relevant items' ranks of rankings that somebody else made.

    An excluded item is taken out of its list, and what stands behind it moves up by one.

    Args:
        lists: (q, k) gallery rows, best first; in range, none twice in a list.
        query_labels: (q,) int64 class codes; a negative one is like no other.
        gallery_labels: (n,) int64 class codes.
        exclude: (q,) int64, the gallery row to leave out of each query's ranking, or -1.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    count, width = lists.shape
    _check(count, len(gallery_labels), query_labels, gallery_labels, exclude)
    _, begins, ends = _class_rows(query_labels, gallery_labels)
    relevant = ends - begins - _is_relevant(exclude, query_labels, gallery_labels)
    hits, lengths = np.zeros(count, np.int64), np.empty(count, np.int64)
    parts = [np.empty(0, np.int64)]
    for rows in blocks(count, width * 8):
        block = np.asarray(lists[rows], np.int64)
        left_out = block == exclude[rows, None]
        like = (gallery_labels[block] == query_labels[rows, None]) & ~left_out
        like[query_labels[rows] < 0] = False
        query, place = np.nonzero(like)
        found = left_out.any(axis=1)
        gap = np.where(found, left_out.argmax(axis=1), width)
        parts.append(place + 1 - (place > gap[query]))
        hits[rows] = like.sum(axis=1)
        lengths[rows] = width - found
    rankable = len(gallery_labels) - (exclude >= 0)
    return Ranked(
        _offsets(hits),
        np.concatenate(parts),
        relevant,
        int(lengths.max(initial=0)),
        complete=bool((lengths == rankable).all()),
    )


def blocks(count: int, row_bytes: int) -> Iterator[slice]:
    """Slices of ``count`` rows, each small enough to work on in memory."""
    size = min(max(_BLOCK_BYTES // max(row_bytes, 1), _FEWEST_ROWS), _MOST_ROWS)
    for at in range(0, count, size):
        yield slice(at, min(at + size, count))


def _score_blocks(queries: Floats, gallery: Floats) -> Iterator[tuple[int, Floats]]:
    """The scores of some queries at a time, all in one buffer, and the first query's row."""
    buffer: Floats | None = None
    for rows in blocks(len(queries), len(gallery) * 4):
        part = queries[rows]
        if buffer is None:
            buffer = np.empty((len(part), len(gallery)), np.float32)
        yield rows.start, np.matmul(part, gallery.T, out=buffer[: len(part)])


def _check(
    queries: int, gallery: int, query_labels: Ints, gallery_labels: Ints, exclude: Ints
) -> None:
    # The kernel reads memory unchecked.
    if not len(query_labels) == len(exclude) == queries or len(gallery_labels) != gallery:
        raise ValueError("one label a query and gallery item, one excluded row a query")
    if len(exclude) and not -1 <= int(exclude.min()) <= int(exclude.max()) < gallery:
        raise ValueError("an excluded row lies outside the gallery")


def _class_rows(query_labels: Ints, gallery_labels: Ints) -> tuple[Ints, Ints, Ints]:
    """Gallery rows by class (ascending inside one), and where each query's class lies there."""
    order = np.argsort(gallery_labels, kind="stable")
    ordered = gallery_labels[order]
    begins = np.searchsorted(ordered, query_labels, side="left")
    ends = np.searchsorted(ordered, query_labels, side="right")
    return order, begins, np.where(query_labels < 0, begins, ends)


def _is_relevant(exclude: Ints, query_labels: Ints, gallery_labels: Ints) -> Ints:
    """1 where the excluded row would have been relevant, else 0."""
    like = np.zeros(len(exclude), np.int64)
    given = (exclude >= 0) & (query_labels >= 0)
    like[given] = gallery_labels[exclude[given]] == query_labels[given]
    return like


def _offsets(counts: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _ascending(ranked: Ranked) -> Ints:
    """The ranks in ascending order inside each query."""
    base = int(ranked.ranks.max(initial=0)) + 1
    return cast("Ints", np.sort(ranked.query() * base + ranked.ranks) % base)


def _threads() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _run(kernel: _Kernel, block: _Block, ranks: Ints, chosen: Ints) -> None:
    if len(chosen):
        kernel(chosen, block, ranks)


@functools.cache
def _counting() -> _Kernel:
    """``_count`` as machine code; numba takes half a second to import, so only when needed."""
    import numba

    try:
        return cast("_Kernel", numba.njit(nogil=True, cache=True)(_count))
    except RuntimeError:  # Neither beside this file nor in the user's folder can it be cached.
        return cast("_Kernel", numba.njit(nogil=True)(_count))


def _count(chosen: Ints, block: _Block, ranks: Ints) -> None:
    """Write the ranks of the relevant items of the ``chosen`` rows of a block of scores."""
    scores, order, begins, ends, exclude, offsets = block
    # Every count stays an int32: the loops then become the widest vector instructions.
    one = np.int32(1)
    for i in chosen:
        row, left_out, at = scores[i], exclude[i], offsets[i]
        for item in order[begins[i] : ends[i]]:
            if item == left_out:
                continue
            own = row[item]
            before, after = row[:item], row[item + 1 :]
            rank = one
            for j in range(len(before)):
                rank = np.int32(rank + np.int32(before[j] >= own))
            for j in range(len(after)):
                rank = np.int32(rank + np.int32(after[j] > own))
            # An excluded item that was counted was ahead: by its score, or by row in a tie.
            if left_out >= 0 and (
                row[left_out] > own or (row[left_out] == own and left_out < item)
            ):
                rank = np.int32(rank - one)
            ranks[at] = rank
            at += 1


def _sort(chosen: Ints, block: _Block, ranks: Ints) -> None:
    """The same for classes so large that sorting all scores costs less."""
    scores, order, begins, ends, exclude, offsets = block
    for i in chosen:
        ranking = np.argsort(-scores[i], kind="stable")
        ranking = ranking[ranking != exclude[i]]
        rank_of = np.empty(scores.shape[1], np.int64)
        rank_of[ranking] = np.arange(1, len(ranking) + 1)
        items = order[begins[i] : ends[i]]
        items = items[items != exclude[i]]
        ranks[offsets[i] : offsets[i] + len(items)] = rank_of[items]
