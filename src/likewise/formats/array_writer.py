"""Write .npy and .npz files row by row, when the number of rows is not known in advance."""

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


class ArrayWriter:
    """Appends rows of one shape and type to an array file."""

    def __init__(self, out: IO[bytes], row: Shape, dtype: npt.DTypeLike) -> None:
        """Write the header to ``out``; ``row`` is the shape of one row."""
        self.count = 0
        self._out = out
        self._row = row
        self._dtype = np.dtype(dtype)
        out.write(self.header())

    def append(self, rows: AnyArray) -> None:
        """Append rows of shape (n, *row).

        Raises:
            ValueError: the rows have another shape.
        """
        if rows.shape[1:] != self._row:
            raise ValueError(f"rows of shape {rows.shape[1:]}, expected {self._row}")
        self._out.write(np.ascontiguousarray(rows, self._dtype).data)
        self.count += len(rows)

    @property
    def nbytes(self) -> int:
        """Size of the rows in bytes, without the header."""
        return self.count * int(np.prod(self._row, dtype=np.int64)) * self._dtype.itemsize

    def header(self) -> bytes:
        """Return the .npy header for the current number of rows; its length is constant."""
        # NumPy reserves space for the digits of the largest first axis.
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
def open_npy(path: Path, row: Shape, dtype: npt.DTypeLike) -> Iterator[ArrayWriter]:
    """Create the .npy file ``path`` and yield its writer.

    Args:
        path: file to write; its folder is created.
        row: shape of one row.
        dtype: element type.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        rows = ArrayWriter(file, row, dtype)
        yield rows
        file.seek(0)
        file.write(rows.header())


class NpzWriter:
    """Writes .npz files without compression, like ``numpy.savez``."""

    def __init__(self, file: IO[bytes], archive: ZipFile) -> None:
        """Use ``archive``, which writes to ``file``."""
        self._file = file
        self._archive = archive

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator["NpzWriter"]:
        """Create the file ``path`` and yield its writer."""
        with path.open("wb") as file, ZipFile(file, "w") as archive:
            yield cls(file, archive)

    @contextmanager
    def member(self, name: str, row: Shape, dtype: npt.DTypeLike) -> Iterator[ArrayWriter]:
        """Yield the writer of the array ``name``; only one array can be open at a time."""
        info = ZipInfo(
            f"{name}.npy"
        )  # the default time stamp, 1980, keeps the bytes reproducible
        with self._archive.open(info, "w", force_zip64=True) as out:
            start = self._file.tell()
            rows = ArrayWriter(out, row, dtype)
            first = rows.header()
            yield rows
        last = rows.header()
        self._file.seek(start)
        self._file.write(last)
        # CRC-32 is linear: only the contribution of the header changes.
        info.CRC ^= _shift_crc(zlib.crc32(first) ^ zlib.crc32(last), rows.nbytes)
        self._file.seek(info.header_offset)
        self._file.write(info.FileHeader(zip64=True))
        self._file.seek(0, io.SEEK_END)


_POLYNOMIAL = 0xEDB88320


def _shift_crc(crc: int, nbytes: int) -> int:
    """Return ``crc`` times x^(8 nbytes) modulo the CRC-32 polynomial (``crc32_combine``).

    Source: M. Adler, zlib 1.2.12, crc32.c: multmodp and x2nmodp.
    """
    power, factor = 1 << 31, 1 << 30  # x^0 and x^1, with reflected bits
    exponent = 8 * nbytes
    while exponent:
        if exponent & 1:
            power = _multiply(factor, power)
        factor = _multiply(factor, factor)
        exponent >>= 1
    return _multiply(power, crc)


def _multiply(a: int, b: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return product
