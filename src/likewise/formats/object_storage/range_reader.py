"""An object as a stream that is read in parts, and several parts in few requests."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedIOBase
from typing import TYPE_CHECKING

from likewise.formats.object_storage.file_systems import read_parts

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 4 << 20
"""Maximum size of a request for a part; headers and small members need few of them."""

_FIRST_BYTES = 64 << 10
"""Size of the first request; each further one in the same direction is twice as large."""

_GAP_BYTES = 64 << 10
"""Unwanted bytes between two parts that are read with them rather than requested apart."""

_WINDOW_BYTES = 32 << 20
"""Maximum size of the parts that are requested together, and are in memory."""


class RangeReader(BufferedIOBase):
    """The bytes of an object; a jump over bytes does not read them."""

    def __init__(self, address: str, nbytes: int) -> None:
        """Set the address and the size; nothing is read yet."""
        super().__init__()
        self.name = address
        self._nbytes = nbytes
        self._at = 0
        self._block = b""
        self._block_start = 0
        self._length = _FIRST_BYTES

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move to a position, and return it."""
        start = {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._nbytes}[whence]
        if start + offset < 0:
            raise ValueError("a negative position")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next ``size`` bytes, or those until the end."""
        left = max(0, self._nbytes - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        start = self._at - self._block_start
        if not 0 <= start <= len(self._block) - wanted:
            is_near = 0 <= start < len(self._block) + BLOCK_BYTES and self._block
            self._length = min(2 * self._length, BLOCK_BYTES) if is_near else _FIRST_BYTES
            length = min(left, max(wanted, self._length))
            self._block = read_parts([self.name], [self._at], [length])[0]
            self._block_start, start = self._at, 0
        self._at += wanted
        return self._block[start : start + wanted]

    def read1(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes of one request."""
        return self.read(BLOCK_BYTES if size < 0 else size)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill ``buffer``, and return the number of bytes."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


def read_members(address: str, parts: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """Yield parts of an object, given as offset and size, in the given order.

    Neighbouring parts are read in one request, and several requests run at a time.
    """
    for window in _windows([size for _, size in parts]):
        chosen = parts[window.start : window.stop]
        runs = _runs(sorted(chosen))
        data = read_parts(
            [address] * len(runs),
            [start for start, _ in runs],
            [end - start for start, end in runs],
        )
        starts = [start for start, _ in runs]
        for offset, size in chosen:
            at = _last_at_most(starts, offset)
            yield data[at][offset - starts[at] :][:size]


def read_objects(addresses: Sequence[str], sizes: Sequence[int]) -> Iterator[bytes]:
    """Yield whole objects in the given order; several requests run at a time."""
    for window in _windows(sizes):
        chosen = slice(window.start, window.stop)
        count = window.stop - window.start
        yield from read_parts(addresses[chosen], [0] * count, sizes[chosen])


def _windows(sizes: Sequence[int]) -> Iterator[range]:
    """Yield runs of positions whose sizes fit into memory together."""
    start = total = 0
    for position, size in enumerate(sizes):
        if position > start and total + size > _WINDOW_BYTES:
            yield range(start, position)
            start, total = position, 0
        total += size
    if start < len(sizes):
        yield range(start, len(sizes))


def _runs(parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return start and end of the runs of neighbouring parts, which are sorted by offset."""
    runs: list[tuple[int, int]] = []
    for offset, size in parts:
        end = offset + size
        if runs and offset - runs[-1][1] <= _GAP_BYTES and end - runs[-1][0] <= 2 * BLOCK_BYTES:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((offset, end))
    return runs


def _last_at_most(starts: Sequence[int], offset: int) -> int:
    """Return the position of the last of the sorted ``starts`` that is not after ``offset``."""
    return bisect_right(starts, offset) - 1
