"""The ranks of relevant items, and which items and first hits they are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_BLOCK_BYTES = 48 << 20
_FEWEST_ROWS, _MOST_ROWS = 16, 1024


@dataclass(frozen=True)
class Ranked:
    """The ranks of each query's relevant gallery items: all that a ranking metric needs.

    Query ``i`` has ``ranks[offsets[i]:offsets[i + 1]]``, 1-based and ascending; the relevant
    items that are not in its list have none.

    Attributes:
        offsets: (q + 1,) int64.
        ranks: (offsets[-1],) int64.
        relevant: (q,) int64, the relevant items in the gallery, listed or not; what a query
            leaves out is not among them.
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

    def nth(self) -> Ints:
        """(offsets[-1],) int64: the how-manieth relevant item of its list each is, from 1."""
        return np.arange(1, len(self.ranks) + 1) - self.offsets[self.query()]

    def cut(self, depth: int) -> "Ranked":
        """The same with every list cut after its first ``depth`` items."""
        if depth >= self.depth:
            return self
        kept = self.ranks <= depth
        hits = np.bincount(self.query()[kept], minlength=len(self))
        return replace(
            self, offsets=offsets(hits), ranks=self.ranks[kept], depth=depth, complete=False
        )


@dataclass(frozen=True)
class Ranking:
    """``Ranked``, the items that its ranks are of, and what stands first in every list.

    Attributes:
        ranked: the ranks.
        items: (len(ranked.ranks),) int64, the gallery row of each rank.
        top_rows: (q, t) int64, the first gallery rows of each list, best first; then -1.
        top_scores: (q, t) float32, their scores; NaN where they are not known.
    """

    ranked: Ranked
    items: Ints
    top_rows: Ints
    top_scores: Floats


def offsets(counts: Ints) -> Ints:
    """Where each part of ``counts`` values begins, and where the last ends: (q + 1,) int64."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def blocks(count: int, row_bytes: int) -> Iterator[slice]:
    """Slices of ``count`` rows, each small enough to work on in memory."""
    size = min(max(_BLOCK_BYTES // max(row_bytes, 1), _FEWEST_ROWS), _MOST_ROWS)
    for at in range(0, count, size):
        yield slice(at, min(at + size, count))
