"""NumPy arrays that are written row by row, whose length is known only at the end."""

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from likewise.formats.array_types import AnyArray

Shape = tuple[int, ...]


class Rows:
    """An array in the making: rows of one shape and type are appended."""

    def __init__(self, out: IO[bytes], row: Shape, dtype: npt.DTypeLike) -> None:
        """Begin in ``out``; ``row`` is the shape of one row."""
        self.count = 0
        self._out = out
        self._row = row
        self._dtype = np.dtype(dtype)
        out.write(self.header())

    def append(self, rows: AnyArray) -> None:
        """Write some rows: (any number, *row)."""
        if rows.shape[1:] != self._row:
            raise ValueError(f"rows of the shape {rows.shape[1:]}, not {self._row}")
        self._out.write(np.ascontiguousarray(rows, self._dtype).data)
        self.count += len(rows)

    @property
    def nbytes(self) -> int:
        """How many bytes the rows hold."""
        return self.count * int(np.prod(self._row, dtype=np.int64)) * self._dtype.itemsize

    def header(self) -> bytes:
        """The head of a .npy file with the present number of rows; its length never changes."""
        # NumPy leaves room for the digits of the longest first axis.
        out = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            out,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self.count, *self._row),
            },
        )
        return out.getvalue()


@contextmanager
def npy(path: Path, row: Shape, dtype: npt.DTypeLike) -> Iterator[Rows]:
    """A .npy file in the making."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        rows = Rows(file, row, dtype)
        yield rows
        file.seek(0)
        file.write(rows.header())


class Npz:
    """An .npz file in the making, stored and not compressed as ``numpy.savez`` has it."""

    def __init__(self, file: IO[bytes], archive: ZipFile) -> None:
        """Write into ``archive``, which writes into ``file``."""
        self._file = file
        self._archive = archive

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator["Npz"]:
        """Begin the file ``path``."""
        with path.open("wb") as file, ZipFile(file, "w") as archive:
            yield cls(file, archive)

    @contextmanager
    def member(self, name: str, row: Shape, dtype: npt.DTypeLike) -> Iterator[Rows]:
        """The array ``name`` in the making; one at a time."""
        info = ZipInfo(f"{name}.npy")  # its time is that of 1980, whatever the clock says
        with self._archive.open(info, "w", force_zip64=True) as out:
            start = self._file.tell()
            rows = Rows(out, row, dtype)
            first = rows.header()
            yield rows
        last = rows.header()
        self._file.seek(start)
        self._file.write(last)
        # A checksum is that of the head, moved by what follows, and that of what follows.
        info.CRC ^= _moved(zlib.crc32(first) ^ zlib.crc32(last), rows.nbytes)
        self._file.seek(info.header_offset)
        self._file.write(info.FileHeader(zip64=True))
        self._file.seek(0, io.SEEK_END)


_POLYNOMIAL = 0xEDB88320


def _moved(crc: int, nbytes: int) -> int:
    """A CRC-32 times x^(8 nbytes), modulo its polynomial, as zlib's ``crc32_combine`` has it.

    Source: M. Adler, zlib 1.2.12, crc32.c: multmodp and x2nmodp.
    """
    power, factor = 1 << 31, 1 << 30  # x^0 and x^1; bits are reflected
    exponent = 8 * nbytes
    while exponent:
        if exponent & 1:
            power = _product(factor, power)
        factor = _product(factor, factor)
        exponent >>= 1
    return _product(power, crc)


def _product(a: int, b: int) -> int:
    found = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            found ^= b
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return found
