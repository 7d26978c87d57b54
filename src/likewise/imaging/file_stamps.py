"""Sizes and modification times of the files that this checkout has read, under its seal.

An ingest does not read a file again whose size and time are unchanged. Stamps that came with a
catalogue would make it believe that the files of this machine have the contents of somebody
else's table.
"""

import hashlib
from io import RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import polars as pl
import pyarrow as pa

from likewise.formats.atomic import atomic_file
from likewise.storage import seals
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

COLUMNS = {"path": pl.String, "nbytes": pl.Int64, "stamp": pl.Int64, "sha256": pl.String}

_PURPOSE = "stamps"
"""Purpose of the seal: one for all data sets, because a data set may be renamed."""

_BATCH_ROWS = 50_000

_SEAL_BYTES = 64
"""Bytes of the seal at the start of the file; a table of Arrow follows."""


def read_stamps(ws: Workspace, path: Path) -> pl.DataFrame:
    """Return the stamps in ``path``; none if this checkout did not write the file."""
    try:
        data = memoryview(path.read_bytes())
    except OSError:
        data = memoryview(b"")
    mac, content = bytes(data[:_SEAL_BYTES]).decode("ascii", "replace"), data[_SEAL_BYTES:]
    if not seals.is_sealed(ws, _PURPOSE, hashlib.sha256(content).digest(), mac):
        return pl.DataFrame(schema=COLUMNS)
    table = pa.ipc.open_file(pa.py_buffer(content)).read_all()
    return cast("pl.DataFrame", pl.from_arrow(table))


def write_stamps(ws: Workspace, stamps: pl.DataFrame, path: Path) -> None:
    """Write ``stamps`` (path, nbytes, stamp, sha256) to ``path``, with a seal.

    Raises:
        DataError: the file cannot be written, or there is no place for the key.
    """
    with atomic_file(path) as part, part.open("wb") as opened:
        opened.write(bytes(_SEAL_BYTES))
        content = _Hashed(opened)
        # Batch by batch, because a second copy of millions of rows takes much memory.
        schema = stamps.select(list(COLUMNS)).clear().to_arrow().schema
        with pa.ipc.new_file(content, schema) as writer:
            for rows in stamps.select(list(COLUMNS)).iter_slices(_BATCH_ROWS):
                writer.write_table(rows.to_arrow())
        mac = seals.seal(ws, _PURPOSE, content.hash.digest())
        opened.seek(0)
        opened.write(mac.encode())


class _Hashed(RawIOBase):
    """Writes to the end of a file, and computes the hash of what it wrote."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._size = file, 0
        self.hash = hashlib.sha256()

    def write(self, data: "ReadableBuffer", /) -> int:
        size = self._file.write(data)
        self.hash.update(data)
        self._size += size
        return size

    def tell(self) -> int:
        return self._size

    def writable(self) -> bool:
        return True
