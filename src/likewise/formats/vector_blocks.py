"""Vectors that are read in blocks, because all of them may be larger than the memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from likewise.errors import DataError
from likewise.formats.array_types import FloatArray, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.memory import MEMORY

_READ_ROWS = 8192


@dataclass(frozen=True)
class VectorBlocks:
    """A matrix (rows, dim) that is read in blocks, or row by row.

    Attributes:
        rows: number of vectors.
        dim: number of dimensions.
        dtype: type of the stored values: float32 or float16.
        read: yields all vectors in order, in blocks of any number of rows.
        take: returns the vectors of some rows, (len(rows), dim), in the order given.
        memory: bytes that may be used; see ``formats.memory``.
        resident: all vectors are in memory.
    """

    rows: int
    dim: int
    dtype: np.dtype[Any]
    read: Callable[[], Iterator[FloatArray]]
    take: Callable[[Int64Array], FloatArray]
    memory: int = MEMORY
    resident: bool = False

    @classmethod
    def from_array(cls, array: FloatArray, memory: int = MEMORY) -> "VectorBlocks":
        """Wrap an array (n, d)."""
        rows, dim = array.shape

        def read() -> Iterator[FloatArray]:
            for start in range(0, rows, _READ_ROWS):
                yield array[start : start + _READ_ROWS]

        take = array.__getitem__
        return cls(rows, dim, array.dtype, read, take, memory, resident=True)

    def __len__(self) -> int:
        """Return the number of vectors."""
        return self.rows

    @property
    def nbytes(self) -> int:
        """Number of bytes of all vectors as they are stored."""
        return self.rows * self.dim * self.dtype.itemsize

    def whole(self) -> FloatArray:
        """Return all vectors (rows, dim) as they are stored."""
        out = np.empty((self.rows, self.dim), self.dtype)
        start = 0
        for part in self.read():
            out[start : start + len(part)] = part
            start += len(part)
        return out

    def need_room(self, purpose: str, factor: int = 1) -> None:
        """Check that all vectors as float32, ``factor`` times, use at most half of ``memory``.

        Args:
            purpose: what reads all vectors, for the error.
            factor: number of copies in memory at once.

        Raises:
            DataError: they use more.
        """
        needed = self.rows * self.dim * 4 * factor
        if needed > self.memory / 2:
            size = (
                f"{needed / 1e9:,.1f} GB of memory for {self.rows:,} x "
                f"{counted(self.dim, 'vector')}"
            )
            limit = f"half of memory, {self.memory / 1e9:g} GB"
            raise DataError(
                f"{purpose} needs {size}, more than {limit}; if this machine has more, write "
                f"for example `memory: {-(-2 * needed // 10**9)}GB` in params.yaml"
            )

    def blocks(self, size: int) -> Iterator[FloatArray]:
        """Yield all vectors in order, in blocks of ``size`` rows; the last may be shorter."""
        return regrouped(self.read(), size)


def regrouped(parts: Iterator[FloatArray], size: int) -> Iterator[FloatArray]:
    """Yield the rows of ``parts`` in blocks of ``size`` rows; the last may be shorter.

    A block is valid until the next one is requested, because all share one buffer.
    """
    buffer: FloatArray | None = None
    filled = 0
    for part in parts:
        if buffer is None:
            buffer = np.empty((size, part.shape[1]), part.dtype)
        start = 0
        while start < len(part):
            count = min(size - filled, len(part) - start)
            buffer[filled : filled + count] = part[start : start + count]
            filled, start = filled + count, start + count
            if filled == size:
                yield buffer
                filled = 0
    if buffer is not None and filled:
        yield buffer[:filled]
