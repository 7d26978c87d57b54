"""Base classes of indexes: options that build a searchable index of a vector column."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.formats.memory import MEMORY
from likewise.formats.vector_blocks import VectorBlocks
from likewise.registry import Part
from likewise.storage import tables

NONE = -1
"""Row number that fills the places of a query with fewer results than requested."""


@dataclass(frozen=True)
class Vectors:
    """A column of L2-normalised vectors that is read on demand.

    Attributes:
        stored: the vectors, read in blocks, in the order of the table.
        table: the published table of the column; None for a bare array.
        column: name of the column.
        array: all vectors, if they are in memory.
    """

    stored: VectorBlocks
    table: tables.Table | None = None
    column: str = ""
    array: FloatArray | None = None

    @property
    def rows(self) -> int:
        """Number of vectors."""
        return self.stored.rows

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.stored.dim

    def read(self) -> FloatArray:
        """Return all vectors, (rows, dim) float32 or float16, in the order of the table."""
        return self.stored.whole() if self.array is None else self.array

    def take(self, rows: Sequence[int]) -> FloatArray:
        """Return the vectors of some rows, (len(rows), dim), in the order given."""
        return self.stored.take(np.asarray(rows, np.int64))

    @classmethod
    def from_array(cls, array: FloatArray, memory: int = MEMORY) -> "Vectors":
        """Wrap an array (n, d)."""
        return cls(VectorBlocks.from_array(array, memory), array=array)

    @classmethod
    def from_column(cls, table: tables.Table, column: str, memory: int = MEMORY) -> "Vectors":
        """Refer to a vector column of a table; see ``VectorBlocks`` for ``memory``."""
        return cls(tables.vector_blocks(table, column, memory), table, column)


class BuiltIndex(ABC):
    """An index over vectors, ready to be searched."""

    @abstractmethod
    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows with the greatest inner products with each query.

        Args:
            queries: (q, d) float32, L2-normalised, so that the products are cosines.
            k: number of rows, at least 1.
            allowed: (n,) mask of the rows that may be results; applied before the search.

        Returns:
            Scores and rows, each (q, min(k, n)), by descending score, then ascending row.
            Missing results have the row -1 and the score -inf.
        """

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True if ``search`` compares all rows that ``allowed`` selects.

        An approximate index does so where a filter keeps few rows.
        """
        return False


class Index(Part, ABC):
    """A kind of index; its fields are its options.

    Attributes:
        in_memory: the index keeps its data in memory.
        cached: the index can be saved to a file and loaded again.
        search_options: names of the options that affect only the search, not the file.
    """

    in_memory: ClassVar[bool] = True
    cached: ClassVar[bool] = False
    search_options: ClassVar[frozenset[str]] = frozenset()

    @property
    def is_cached(self) -> bool:
        """True if ``build`` writes a file with these options."""
        return self.cached

    def check_size(self, rows: int, dim: int) -> None:
        """Check that the options suit vectors of a size, without building the index.

        Args:
            rows: number of vectors.
            dim: number of dimensions.

        Raises:
            ConfigError: the options do not suit the vectors.
        """

    @abstractmethod
    def build(self, vectors: Vectors, cache: Path | None = None) -> BuiltIndex:
        """Build the index over ``vectors``.

        Args:
            vectors: the vectors to search.
            cache: file of this index over exactly these vectors. An existing file is loaded; a
                missing file may be written. With None, the index is always built.

        Raises:
            ConfigError: the options do not suit the vectors.
        """


def empty_results(queries: int, width: int) -> tuple[Float32Array, Int64Array]:
    """Return scores (-inf) and rows (-1), each (queries, width), for no results."""
    return (
        np.full((queries, width), -np.inf, np.float32),
        np.full((queries, width), NONE, np.int64),
    )


def rank_order(scores: Float32Array, rows: Int64Array) -> Int64Array:
    """Return the order (c,) of one query's candidates: descending score, ascending row."""
    order: Int64Array = np.lexsort((rows, -scores))
    return order


def settle_ties(scores: Float32Array, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
    """Sort results (q, k) by descending score, equal scores by row; -1 comes last."""
    scores = np.where(rows == NONE, np.float32(-np.inf), scores)
    keys = np.where(rows == NONE, np.iinfo(np.int64).max, rows)
    order = np.lexsort((keys, -scores), axis=1)
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
