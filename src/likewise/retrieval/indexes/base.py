"""What every index is: options that make a searchable thing of a column of vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.registry import Part
from likewise.storage import tables

NONE = -1
"""The row that stands where a query has fewer results than were asked for."""


@dataclass(frozen=True)
class Vectors:
    """A column of L2-normalised vectors, read when an index asks for it.

    Attributes:
        rows: how many there are.
        dim: how many values each has.
        read: all of them, (rows, dim) float32 or float16, in the table's order.
        take: those of some rows, (len(rows), dim), in that order.
        table: the published table that they are a column of; None for a bare array.
        column: that column's name.
    """

    rows: int
    dim: int
    read: Callable[[], FloatArray]
    take: Callable[[Sequence[int]], FloatArray]
    table: tables.Table | None = None
    column: str = ""

    @classmethod
    def from_array(cls, array: FloatArray) -> "Vectors":
        """The vectors of an array (n, d)."""
        rows, dim = array.shape
        return cls(rows, dim, lambda: array, lambda chosen: array[list(chosen)])

    @classmethod
    def from_column(cls, table: tables.Table, column: str) -> "Vectors":
        """The vectors of a table's column."""

        def take(rows: Sequence[int]) -> FloatArray:
            return table.vectors(column, rows)

        def read() -> FloatArray:
            return table.vectors(column)

        return cls(table.rows, table.dim(column), read, take, table, column)


class BuiltIndex(ABC):
    """An index over its vectors, ready to answer."""

    @abstractmethod
    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """The ``k`` rows with the greatest inner products with each query.

        Args:
            queries: (q, d) float32, L2-normalised, so that the products are cosines.
            k: how many rows, at least 1.
            allowed: (n,) the rows that may be found; a filter that is exact and comes first.

        Returns:
            Scores and rows, each (q, min(k, n)), score descending, then row ascending. Where
            there are fewer results, the rest have the row -1 and the score -inf.
        """


class Index(Part, ABC):
    """A way to search; its fields are its options.

    ``cached`` says whether the kind makes use of a file that it made before; ``asked`` names
    the options that only say how to search it: whatever they are, the file is the same;
    ``in_memory`` says whether what it searches is held there.
    """

    in_memory: ClassVar[bool] = True
    cached: ClassVar[bool] = False
    asked: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def build(self, vectors: Vectors, cache: Path | None = None) -> BuiltIndex:
        """The index over ``vectors``.

        Args:
            vectors: what to search.
            cache: a file of this index over just these vectors: used where it is there, made
                where making it would take long. None makes everything anew.

        Raises:
            ConfigError: the options do not suit the vectors.
        """


def empty_results(queries: int, width: int) -> tuple[Float32Array, Int64Array]:
    """Scores and rows of ``queries`` queries for which nothing was found yet."""
    return (
        np.full((queries, width), -np.inf, np.float32),
        np.full((queries, width), NONE, np.int64),
    )


def rank_order(scores: Float32Array, rows: Int64Array) -> Int64Array:
    """The order (c,) of one query's candidates: score descending, then row ascending."""
    order: Int64Array = np.lexsort((rows, -scores))
    return order


def settle_ties(scores: Float32Array, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
    """The same results (q, k) with equal scores in the order of their rows, and -1 last."""
    scores = np.where(rows == NONE, np.float32(-np.inf), scores)
    places = np.where(rows == NONE, np.iinfo(np.int64).max, rows)
    order = np.lexsort((places, -scores), axis=1)
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
