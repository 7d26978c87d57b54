"""What every folder and archive offers: one listing of its files, and their bytes."""

import os
import re
import weakref
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from likewise.errors import DamagedError, DataError, bounded

COLUMNS = ("path", "nbytes", "stamp")

_GATHERED = 50_000
_ABSOLUTE = re.compile(rb"[/\\]|[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Found:
    """What one look through a folder or archive found.

    ``frame`` has the columns path, nbytes and stamp, and those that the kind itself needs to
    find a member again, sorted by path.
    """

    frame: pl.DataFrame
    undecodable: list[str]
    refused: list[tuple[str, str]]


class Files(ABC):
    """The files of a folder or archive, which several threads may read at once.

    ``random_access`` is False where one file costs a pass through the whole archive: there
    ``read_many`` makes one pass, in the archive's own order.
    """

    random_access = True

    def __init__(self, path: Path) -> None:
        """Remember ``path``; nothing is opened before it is needed."""
        self.path = path
        self._found: Found | None = None

    def listing(self) -> pl.DataFrame:
        """Every file, a row each, sorted by path.

        Columns: path (unique, relative, with '/'); nbytes; stamp, a number that changes when
        the file does: a folder's modification time in ns, a zip's CRC-32, a tar's time in s.
        The stamp serves caches on this machine only.
        """
        return self._members().frame.select(COLUMNS)

    @property
    def undecodable(self) -> list[str]:
        r"""Names that are not UTF-8, sorted, their odd bytes as ``\xNN`` and ``\`` doubled.

        These files are in no other list.
        """
        return self._members().undecodable

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Members that are never followed (links, devices, paths that leave), and why."""
        return self._members().refused

    @abstractmethod
    def read(self, path: str) -> bytes:
        """The bytes of the file that the listing calls ``path``.

        Raises:
            DataError: there is no such file, or it cannot be read whole.
        """

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each of the ``paths`` with its bytes; see ``random_access`` for their order.

        Raises:
            DataError: as of ``read``.
        """
        for path in paths:
            yield path, self.read(path)

    def reaches(self, paths: pl.Series) -> bool:
        """Whether each of the ``paths`` can be read without reading what lies before it."""
        return self.random_access

    def apart(self) -> "Files":
        """The same files through handles of its own, which close when it is forgotten."""
        return self

    @abstractmethod
    def _scan(self) -> Found: ...

    def _members(self) -> Found:
        if self._found is None:
            self._found = self._scan()
        return self._found

    def _rows(self, paths: Sequence[str] | pl.Series) -> pl.DataFrame:
        """The rows of ``paths``, in their order."""
        frame = self._members().frame
        try:
            wanted = pl.Series("path", paths, dtype=pl.String)
        except UnicodeEncodeError as error:
            raise self._missing(str(error.object)) from error
        if wanted.is_empty():
            return frame.clear()
        if frame.is_empty():
            raise self._missing(wanted[0])
        rows = frame[frame["path"].search_sorted(wanted).clip(upper_bound=frame.height - 1)]
        for path in wanted.filter(rows["path"] != wanted):
            raise self._missing(path)
        return rows

    def _missing(self, path: str) -> DataError:
        return DataError(f"{self.path} holds no file {path!r}; has it changed meanwhile?")


class Archive(Files):
    """An archive file that is read at offsets, through a handle of this process's own."""

    def __init__(self, path: Path) -> None:
        """Remember ``path``."""
        super().__init__(path)
        self._handle: int | None = None

    def apart(self) -> "Archive":
        """See ``Files.apart``."""
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
        """Exactly ``size`` bytes from ``offset``."""
        data = os.pread(self._open(), size, offset)
        while len(data) < size:  # one call gives at most 2 GiB
            more = os.pread(self._open(), size - len(data), offset + len(data))
            if not more:
                raise EOFError("it ends too early")
            data += more
        return data

    def _row(self, path: str) -> tuple[Any, ...]:
        """The listing's row of ``path``."""
        frame = self._members().frame
        # Bisection through the column: a dict of a million paths would cost 200 MB a process.
        at = bisect_left(frame["path"], path)
        if at == frame.height or frame["path"][at] != path:
            raise self._missing(path)
        return frame.row(at)


class Collector:
    """Gathers the members of one folder or archive into a ``Found``."""

    def __init__(self, path: Path, *extra: str) -> None:
        """``extra`` are the integer columns that the kind adds to nbytes and stamp."""
        self._path = path
        self._columns = (*COLUMNS[1:], *extra)
        self._names: list[str] = []
        self._numbers: list[tuple[int, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._undecodable: list[str] = []
        self._refused: list[tuple[str, str]] = []

    def add(self, name: bytes, *numbers: int) -> None:
        """Take a file in whose name is known to be relative and plain."""
        try:
            self._names.append(name.decode())
        except UnicodeDecodeError:
            self._undecodable.append(escaped(name))
        else:
            self._numbers.append(numbers)
            if len(self._names) >= _GATHERED:
                self._settle()

    def add_member(self, name: bytes, *numbers: int, folder: bytes = b"") -> None:
        """Take an archive's member in, or refuse it where its name leads out of the archive.

        ``folder`` is the archive in the archive that it is in, where there is one.
        """
        why = _leads_out(name) or (_leads_out(folder) if folder else "")
        if why:
            self.refuse(name, why, folder)
            return
        name = _below(folder, name)
        if b"./" in name or b"//" in name:
            name = b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))
        self.add(name, *numbers)

    def refuse(self, name: bytes, why: str, folder: bytes = b"") -> None:
        """Leave ``name`` out, and say ``why``."""
        self._refused.append((escaped(_below(folder, name)), why))

    def found(self) -> Found:
        """All of it, sorted.

        Raises:
            DataError: two members have one name.
        """
        self._settle()
        frame = pl.concat(self._frames).sort("path")
        twins = frame.filter(pl.col("path").is_duplicated())["path"].unique().sort()
        if len(twins):
            raise DataError(
                f"{self._path} holds several members of one name: "
                f"{bounded(map(repr, twins), len(twins))}; pack it anew"
            )
        return Found(frame, sorted(self._undecodable), sorted(self._refused))

    def _settle(self) -> None:
        """Turn what was gathered into columns: a million names as objects take 250 MB."""
        schema = dict.fromkeys(self._columns, pl.Int64)
        numbers = pl.DataFrame(self._numbers, schema=schema, orient="row")
        names = pl.Series("path", self._names, dtype=pl.String)
        self._frames.append(numbers.insert_column(0, names))
        self._names, self._numbers = [], []


def _below(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def escaped(name: bytes) -> str:
    r"""``name`` as text; where it is not UTF-8, odd bytes as ``\xNN`` and ``\`` doubled."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.replace(b"\\", b"\\\\").decode(errors="backslashreplace")


def _leads_out(name: bytes) -> str:
    # Nothing is ever written under such a name here, but the name goes into tables.
    if b"\0" in name:
        return "its name holds a NUL"
    if _ABSOLUTE.match(name):
        return "its path is absolute"
    if b".." in name and b".." in name.replace(b"\\", b"/").split(b"/"):
        return "its path leads upwards"
    return ""


@contextmanager
def damage(path: Path, member: str = "") -> Iterator[None]:
    """Turn whatever a decoder says of damaged data into one error about ``path``.

    Raises:
        DamagedError: with what the decoder said.
    """
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        where = f"{path}: {member!r}" if member else str(path)
        said = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(
            f"{where} is damaged or cut short ({said}); fetch or make it again"
        ) from error
