"""Base classes of folders and archives: list their files, and read their bytes."""

import os
import weakref
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from likewise.errors import DamagedError, DataError
from likewise.formats.archives.kept_listings import kept_listing
from likewise.formats.archives.listing import LISTING_COLUMNS, FileListing
from likewise.formats.object_storage import RemotePath
from likewise.formats.object_storage.file_systems import read_parts


class FileCollection(ABC):
    """A read-only collection of files: a folder or an archive.

    Several threads may read at once. Subclass it for another container: implement ``_scan`` and
    ``read``, and ``read_many`` if one pass is faster than single reads.

    Attributes:
        path: the folder or archive.
        random_access: False if reading one file requires a pass through the archive; then
            ``read_many`` makes a single pass, in the order of the archive.

    Example:
        Files in a dictionary::

            class MemoryFiles(FileCollection):
                def __init__(self, contents: dict[str, bytes]) -> None:
                    super().__init__(Path("memory"))
                    self._contents = contents

                def read(self, path: str) -> bytes:
                    if path not in self._contents:
                        raise self._missing(path)
                    return self._contents[path]

                def _scan(self) -> FileListing:
                    members = ListingBuilder(self.path)
                    for name, data in self._contents.items():
                        members.add(name.encode(), len(data), zlib.crc32(data))
                    return members.build()
    """

    random_access = True

    place_columns: ClassVar[tuple[str, ...] | None] = None
    """Columns of the listing by which ``read`` finds a file; None: ``limit_to`` lists again."""

    def __init__(self, path: Path) -> None:
        """Store ``path``; files are opened on first use."""
        self.path = path
        self._listing: FileListing | None = None

    def listing(self) -> pl.DataFrame:
        """Return one row per file, sorted by path.

        Columns:

        - ``path``: unique relative path with '/'
        - ``nbytes``: size in bytes
        - ``stamp``: an integer that changes with the file: modification time in ns (folder) or
          s (tar), CRC-32 (zip). The value is only for caches on this machine.
        """
        return self._members().members.select(LISTING_COLUMNS)

    @property
    def undecodable(self) -> list[str]:
        r"""File names that are not UTF-8, sorted; invalid bytes as ``\xNN``, ``\`` doubled.

        These files are not in ``listing``.
        """
        return self._members().undecodable

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Refused members and the reasons: links, devices, paths that leave the archive."""
        return self._members().refused

    @property
    def damage(self) -> list[str]:
        """Faults of whole archives, which ``refused`` has too: damage, repeated names."""
        return self._members().damage

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the bytes of the file ``path``.

        Raises:
            DataError: there is no such file, or it cannot be read completely.
        """

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes; ``random_access`` determines the order.

        Raises:
            DataError: see ``read``.
        """
        for path in paths:
            yield path, self.read(path)

    def can_seek(self, paths: pl.Series) -> bool:
        """Return True if each of ``paths`` can be read without reading the files before it."""
        return self.random_access

    def located(self, paths: pl.Series) -> pl.DataFrame:
        """Return what another process needs to read ``paths``, in the order of reading.

        Columns:

        - ``path``, ``nbytes``, ``stamp``: see ``listing``
        - ``archive``: the archive in a folder of archives; "" for all other files
        - ``one_pass``: True if the files of the archive are read in a single pass
        - others: the places of the files, see ``limit_to``

        Raises:
            DataError: there is no such file.
        """
        return self._rows(paths).with_columns(
            archive=pl.lit(""), one_pass=pl.lit(not self.random_access)
        )

    @property
    def is_listed(self) -> bool:
        """True if ``listing`` scans nothing."""
        return self._listing is not None

    def limit_to(self, rows: pl.DataFrame) -> None:
        """List the files of ``rows`` only, which ``located`` returned in another process.

        Nothing is scanned then, so that a process that reads a few archives opens no other.
        A collection without ``place_columns`` still lists all its files.
        """
        if self.place_columns is not None:
            columns = (*LISTING_COLUMNS, *self.place_columns)
            self._listing = FileListing(rows.select(columns).sort("path"), [], [])

    def with_own_handles(self) -> "FileCollection":
        """Return a copy with its own file handles, which close when it is garbage-collected."""
        return self

    @abstractmethod
    def _scan(self) -> FileListing:
        """List all files; called once, on first use.

        Raises:
            DataError: the folder or archive cannot be read.
        """

    def _members(self) -> FileListing:
        if self._listing is None:
            self._listing = kept_listing(self.path, self._kept_as(), self._scan)
        return self._listing

    def _kept_as(self) -> str:
        """Return the options of a listing that may be kept, "" for one that may not.

        ``_scan`` must then have no other effect than its result.
        """
        return ""

    def _rows(self, paths: Sequence[str] | pl.Series) -> pl.DataFrame:
        """Return the listing rows of ``paths``, in their order."""
        frame = self._members().members
        try:
            wanted_paths = pl.Series("path", paths, dtype=pl.String)
        except UnicodeEncodeError as error:
            raise self._missing(str(error.object)) from error
        if wanted_paths.is_empty():
            return frame.clear()
        if frame.is_empty():
            raise self._missing(wanted_paths[0])
        rows = frame[
            frame["path"].search_sorted(wanted_paths).clip(upper_bound=frame.height - 1)
        ]
        for path in wanted_paths.filter(rows["path"] != wanted_paths):
            raise self._missing(path)
        return rows

    def _missing(self, path: str) -> DataError:
        return DataError(
            f"{self.path} has no file {path!r}; it may have changed since it was listed"
        )


class Archive(FileCollection):
    """An archive file that is read at byte offsets, with one file handle per process."""

    def __init__(self, path: Path) -> None:
        """Store ``path``; the archive is opened on first use."""
        super().__init__(path)
        self._handle: int | None = None

    def with_own_handles(self) -> "Archive":
        """See ``FileCollection.apart``."""
        self._members()
        other = copy(self)
        other._handle = None  # noqa: SLF001
        return other

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDONLY)
            weakref.finalize(self, os.close, self._handle)
        return self._handle

    def _at(self, offset: int, size: int) -> bytes:
        """Read exactly ``size`` bytes at ``offset``."""
        if isinstance(self.path, RemotePath):
            return read_parts([str(self.path)], [offset], [size])[0]
        data = os.pread(self._open(), size, offset)
        while len(data) < size:  # one call returns at most 2 GiB
            more = os.pread(self._open(), size - len(data), offset + len(data))
            if not more:
                raise EOFError("unexpected end of file")
            data += more
        return data

    def _row(self, path: str) -> tuple[Any, ...]:
        """Return the listing row of ``path``."""
        frame = self._members().members
        # Bisect the column: a dict of a million paths would take 200 MB per process.
        at = bisect_left(frame["path"], path)
        if at == frame.height or frame["path"][at] != path:
            raise self._missing(path)
        return frame.row(at)


@contextmanager
def damaged_error(path: Path, member: str = "") -> Iterator[None]:
    """Convert all decoder errors into one error about ``path``.

    Raises:
        DamagedError: decoding failed; the message contains the decoder's.
    """
    try:
        yield
    except DataError:
        raise
    except MemoryError as error:
        where = f"{path}: {member!r}" if member else str(path)
        raise DamagedError(f"{where} needs more memory than there is") from error
    except Exception as error:
        where = f"{path}: {member!r}" if member else str(path)
        message = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(
            f"{where} is damaged or truncated ({message}); download or create it again"
        ) from error
