"""Ranks of relevant items, and rankings with the items and first hits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, Int64Array

TILE_QUERIES = 256
TILE_ROWS = 8192
"""Shape of a tile of scores. Both are constants: other shapes round scores differently."""

_BLOCK_BYTES = 48 << 20
_FEWEST_ROWS, _MOST_ROWS = 16, 1024


@dataclass(frozen=True)
class RelevantRanks:
    """The ranks of the relevant gallery items of every query: the input of ranking metrics.

    Query ``i`` has ``ranks[offsets[i]:offsets[i + 1]]``, which are 1-based and ascending.
    Relevant items that are not in its list have no rank.

    Attributes:
        offsets: (q + 1,) int64.
        ranks: (offsets[-1],) int64.
        relevant: (q,) int64, number of relevant items in the gallery, in the list or not,
            without items that the query excludes.
        depth: length of the longest list.
        complete: whether every list ranks the whole gallery.
        grades: (offsets[-1],) int64, grade of the item at every rank; None: all are 1.
        best: (relevant.sum(),) int64, grades of all relevant items of every query, descending;
            None: all are 1.
    """

    offsets: Int64Array
    ranks: Int64Array
    relevant: Int64Array
    depth: int
    complete: bool
    grades: Int64Array | None = None
    best: Int64Array | None = None

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.relevant)

    def hit_counts(self) -> Int64Array:
        """Return the number of relevant items in every list: (q,) int64."""
        return np.diff(self.offsets)

    def query_numbers(self) -> Int64Array:
        """Return the query number of each of ``ranks``: (offsets[-1],) int64."""
        return np.repeat(np.arange(len(self)), self.hit_counts())

    def hit_numbers(self) -> Int64Array:
        """Number the relevant items of every list from 1: (offsets[-1],) int64."""
        return np.arange(1, len(self.ranks) + 1) - self.offsets[self.query_numbers()]

    def truncated(self, depth: int) -> "RelevantRanks":
        """Return the ranks in lists truncated to their first ``depth`` items."""
        if depth >= self.depth:
            return self
        kept = self.ranks <= depth
        return replace(self.selected(kept), depth=depth, complete=False)

    def selected(self, kept: BoolArray) -> "RelevantRanks":
        """Return only some ranks (offsets[-1],); the other items count as not in the list."""
        hits = np.bincount(self.query_numbers()[kept], minlength=len(self))
        grades = None if self.grades is None else self.grades[kept]
        return replace(self, offsets=offsets(hits), ranks=self.ranks[kept], grades=grades)


@dataclass(frozen=True)
class Ranking:
    """Ranks of relevant items with their gallery rows, and the first hits of every list.

    Attributes:
        ranked: ranks of the relevant items.
        items: (len(ranked.ranks),) int64, gallery row of each rank.
        top_rows: (q, t) int64, first gallery rows of every list, best first, padded with -1.
        top_scores: (q, t) float32, their scores; NaN if unknown.
    """

    ranked: RelevantRanks
    items: Int64Array
    top_rows: Int64Array
    top_scores: Float32Array


def without_first(ranking: Ranking) -> Ranking:
    """Remove the first item of every list; the other items move up by one rank.

    Raises:
        ValueError: the items have grades.
    """
    if ranking.ranked.grades is not None:
        raise ValueError("expected a ranking without grades")
    ranked = ranking.ranked
    kept, query = ranked.ranks > 1, ranked.query_numbers()
    hits = np.bincount(query[kept], minlength=len(ranked))
    fewer = replace(
        ranked,
        offsets=offsets(hits),
        ranks=ranked.ranks[kept] - 1,
        relevant=ranked.relevant - np.bincount(query[~kept], minlength=len(ranked)),
        depth=max(ranked.depth - 1, 0),
    )
    return Ranking(
        fewer, ranking.items[kept], ranking.top_rows[:, 1:], ranking.top_scores[:, 1:]
    )


def offsets(counts: Int64Array) -> Int64Array:
    """Return the offsets of parts of ``counts`` values, with the final end: (q + 1,) int64."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def distinct(values: Int64Array) -> Int64Array:
    """Return the different values, ascending; ``np.unique`` loads masked arrays, for 40 ms."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def blocks(count: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of ``count`` rows that are small enough to process in memory."""
    size = min(max(_BLOCK_BYTES // max(row_bytes, 1), _FEWEST_ROWS), _MOST_ROWS)
    for at in range(0, count, size):
        yield slice(at, min(at + size, count))
