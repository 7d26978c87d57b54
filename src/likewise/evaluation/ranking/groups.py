"""Some gallery rows for every query: those relevant to it, or those that it leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likewise.evaluation.ranking.ranked import Ints


@dataclass(frozen=True)
class Groups:
    """Query ``i`` has the gallery rows ``rows[begins[i]:ends[i]]``, none of them twice.

    Queries of one class share their rows, so a class costs its size once.

    Attributes:
        rows: (m,) int64.
        begins: (q,) int64.
        ends: (q,) int64.
    """

    rows: Ints
    begins: Ints
    ends: Ints

    def __len__(self) -> int:
        """How many queries there are."""
        return len(self.begins)

    def sizes(self) -> Ints:
        """(q,) int64: how many rows each query has."""
        return self.ends - self.begins

    def part(self, queries: slice) -> "Groups":
        """The same of some queries."""
        return Groups(self.rows, self.begins[queries], self.ends[queries])

    def pairs(self) -> tuple[Ints, Ints]:
        """Every query (its number here) and row, in order: (total,) int64 each."""
        sizes = self.sizes()
        query = np.repeat(np.arange(len(self)), sizes)
        first = np.cumsum(sizes) - sizes
        return query, self.rows[np.arange(len(query)) + (self.begins - first)[query]]

    @classmethod
    def alike(cls, query_codes: Ints, gallery_codes: Ints) -> "Groups":
        """The gallery rows with each query's code, ascending; a negative code is like no other.

        Args:
            query_codes: (q,) int64.
            gallery_codes: (n,) int64.
        """
        order = np.argsort(gallery_codes, kind="stable")
        ordered = gallery_codes[order]
        begins = np.searchsorted(ordered, query_codes, side="left")
        ends = np.searchsorted(ordered, query_codes, side="right")
        return cls(order, begins, np.where(query_codes < 0, begins, ends))

    @classmethod
    def one(cls, rows: Ints) -> "Groups":
        """One row a query, (q,) int64, or none where that is -1."""
        begins = np.arange(len(rows))
        return cls(rows, begins, begins + (rows >= 0))

    @classmethod
    def of(cls, lists: Sequence[Ints]) -> "Groups":
        """A list of rows a query."""
        ends = np.cumsum([0, *(len(rows) for rows in lists)])
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        return cls(rows, ends[:-1], ends[1:])
