"""Search the nearest vectors of every vector of a table: as a whole, or a run of rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.formats.memory import MEMORY
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import BuiltIndex, Vectors
from likewise.storage import tables

COLUMN = "vector"
"""The vector column of a table with the vectors of one model."""


@dataclass(frozen=True)
class NeighbourSearch:
    """A search of the nearest vectors of every vector of a table.

    Attributes:
        table: the table.
        entry: kind and options of the index.
        depth: number of neighbours, with the vector itself.
        allowed: (n,) mask of the vectors that may be neighbours; None for all.
        wide: normalise in float64 instead of float32.
        memory: bytes for vectors; see ``formats.memory``.
        origin: where the entry is, for messages.
    """

    table: tables.Table
    entry: Mapping[str, Any]
    depth: int
    allowed: BoolArray | None = None
    wide: bool = False
    memory: int = MEMORY
    origin: str = ""

    @property
    def is_exact(self) -> bool:
        """True if the neighbours of a vector do not depend on the other queries."""
        return self.entry.get("kind") == EXACT

    def index(self) -> BuiltIndex:
        """Build the index."""
        vectors = Vectors.from_column(self.table, COLUMN, self.memory)
        return INDEXES.build(self.entry, self.origin).build(vectors)

    def neighbours(self, index: BuiltIndex, vectors: FloatArray) -> "FoundNeighbours":
        """Return scores and rows (q, depth) of the neighbours of some vectors (q, d)."""
        values = vectors.astype(np.float64 if self.wide else np.float32)
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        unit: Float32Array = (values / np.where(norms > 0, norms, 1)).astype(np.float32)
        return index.search(unit, self.depth, self.allowed)


FoundNeighbours: TypeAlias = tuple[Float32Array, Int64Array]
"""Scores and rows (q, depth) of some vectors, in the order of the table."""

SearchNeighbours: TypeAlias = Callable[[NeighbourSearch], Iterator[FoundNeighbours]]
"""Function that yields the neighbours of all vectors, in any number of parts."""


def search_neighbours(search: NeighbourSearch) -> Iterator[FoundNeighbours]:
    """Yield the neighbours of all vectors, batch by batch, in the order of the table."""
    index = search.index()
    for vectors in search.table.vector_batches(COLUMN):
        yield search.neighbours(index, vectors)


def search_rows(search: NeighbourSearch, index: BuiltIndex, rows: range) -> FoundNeighbours:
    """Return the neighbours of a run of vectors, read at most ``BATCH`` at a time."""
    starts = range(rows.start, rows.stop, tables.BATCH)
    runs = (range(start, min(start + tables.BATCH, rows.stop)) for start in starts)
    parts = [search.neighbours(index, search.table.vectors(COLUMN, run)) for run in runs]
    scores, hits = zip(*parts, strict=True)
    return np.concatenate(scores), np.concatenate(hits)
