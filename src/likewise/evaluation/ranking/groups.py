"""Groups of gallery rows, one per query: its relevant rows, or rows that it excludes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likewise.formats.array_types import Int64Array


@dataclass(frozen=True)
class Groups:
    """The gallery rows ``rows[begins[i]:ends[i]]`` of every query ``i``, each row once.

    Queries of one class share their rows, so a class is stored once.

    Attributes:
        rows: (m,) int64.
        begins: (q,) int64.
        ends: (q,) int64.
    """

    rows: Int64Array
    begins: Int64Array
    ends: Int64Array

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.begins)

    def sizes(self) -> Int64Array:
        """Return the number of rows of every query: (q,) int64."""
        return self.ends - self.begins

    def part(self, queries: slice) -> "Groups":
        """Return the groups of a slice of the queries."""
        return Groups(self.rows, self.begins[queries], self.ends[queries])

    def firsts(self) -> Int64Array:
        """Return the first row of every query: (q,) int64; -1 where there is none."""
        filled = self.ends > self.begins
        firsts = np.full(len(self), -1)
        firsts[filled] = self.rows[self.begins[filled]]
        return firsts

    def pairs(self) -> tuple[Int64Array, Int64Array]:
        """Return the query number and the row of all pairs, in order: (total,) int64 each."""
        sizes = self.sizes()
        query = np.repeat(np.arange(len(self)), sizes)
        first = np.cumsum(sizes) - sizes
        return query, self.rows[np.arange(len(query)) + (self.begins - first)[query]]

    @classmethod
    def alike(cls, query_codes: Int64Array, gallery_codes: Int64Array) -> "Groups":
        """Group the gallery rows with the code of every query, ascending.

        A negative code of a query matches no row.

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
    def unlike(cls, query_codes: Int64Array, gallery_codes: Int64Array) -> "Groups":
        """Group the gallery rows with another code than the query; -1 equals nothing.

        Queries of one code share their rows.

        Args:
            query_codes: (q,) int64.
            gallery_codes: (n,) int64.
        """
        codes, numbers = np.unique(query_codes, return_inverse=True)
        parts = [np.flatnonzero((gallery_codes != code) | (code < 0)) for code in codes]
        shared = cls.of(parts)
        return cls(shared.rows, shared.begins[numbers], shared.ends[numbers])

    @classmethod
    def one(cls, rows: Int64Array) -> "Groups":
        """Create groups of one row per query, (q,) int64; -1: no row."""
        begins = np.arange(len(rows))
        return cls(rows, begins, begins + (rows >= 0))

    @classmethod
    def of(cls, lists: Sequence[Int64Array]) -> "Groups":
        """Create groups from one list of rows per query."""
        ends = np.cumsum([0, *(len(rows) for rows in lists)])
        rows = np.concatenate([np.empty(0, np.int64), *lists])
        return cls(rows, ends[:-1], ends[1:])

    def complement(self, size: int) -> "Groups":
        """Return the other rows of a gallery of ``size`` rows, for every query.

        Example:
            >>> Groups.of([np.array([0, 2])]).complement(4).rows
            array([1, 3])
        """
        kept = (self.rows[begin:end] for begin, end in zip(self.begins, self.ends, strict=True))
        every = np.arange(size)
        return Groups.of([np.setdiff1d(every, rows, assume_unique=True) for rows in kept])
