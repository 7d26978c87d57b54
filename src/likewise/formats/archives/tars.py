"""Members of plain and compressed .tar archives."""

import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import SEEK_SET, RawIOBase
from pathlib import Path
from typing import IO, ClassVar

from likewise.errors import DamagedError
from likewise.formats.archives.file_collection import Archive, FileCollection, damaged_error
from likewise.formats.archives.listing import MAX_MEMBER_BYTES, FileListing, ListingBuilder
from likewise.formats.object_storage import RemotePath
from likewise.formats.object_storage.range_reader import read_members

Decompressor = Callable[[IO[bytes]], IO[bytes]]

_MAX_STAMP = 2**62

_HEADER_TYPES = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
"""Types of headers that hold the name and other facts of the next member."""

_SKIPPED_HEADER = b"?"
_MAX_HEADER_BYTES = 1 << 20
_HEADER_FAULT = f"the header with its name has more than {_MAX_HEADER_BYTES:,} bytes"

_PLAIN_HEADER = re.compile(
    rb"(?=([^\0]{1,100})).{124}([0-7]{11})[ \0]([0-7]{11})[ \0]([0-7]{6,7})[ \0]{1,2}"
    rb"0.{100}ustar.{83}\0.{166}",
    re.DOTALL,
)
"""Header of a plain file without name prefix; groups: name, size, time, checksum."""


class _StrictTarInfo(tarfile.TarInfo):
    """Rejects damaged headers; ``tarfile`` would treat them as the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictTarInfo":
        """See ``tarfile.TarInfo.frombuf``."""
        member = cls._plain_file(buf, encoding, errors)
        if member is not None:
            return member
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # raises the error that marks the end
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise ValueError(f"{error} where a member or the end is due") from error
        if member.size < 0:
            raise ValueError("a member has a negative size")
        if member.type in _HEADER_TYPES and member.size > _MAX_HEADER_BYTES:
            member.type = _SKIPPED_HEADER  # tarfile would read it into memory
        return member

    @classmethod
    def _plain_file(
        cls, buf: bytes | bytearray, encoding: str, errors: str
    ) -> "_StrictTarInfo | None":
        """Parse the most common header in a fifth of the time; None for all other headers.

        Source: POSIX.1-2017, pax, "ustar Interchange Format".
        """
        header = _PLAIN_HEADER.match(buf)
        if header is None:
            return None
        name, size, mtime, checksum = header.groups()
        if int(checksum, 8) != 256 + sum(buf) - sum(buf[148:156]):
            return None
        member = cls(name.decode(encoding, errors))
        member.size, member.mtime = int(size, 8), int(mtime, 8)
        return member


class PlainTar(Archive):
    """The members of an uncompressed .tar, read at their byte offsets."""

    place_columns: ClassVar[tuple[str, ...]] = ("offset",)

    def __init__(self, path: Path, *, open_nested: bool = False) -> None:
        """Store ``path``; ``open_nested`` treats a tar in the tar as a folder."""
        super().__init__(path)
        self._open_nested = open_nested

    def _kept_as(self) -> str:
        return f"tar nested={self._open_nested}"

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        _, size, _, offset = self._row(path)
        with damaged_error(self.path, path):
            return self._at(offset, size)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes, in the given order."""
        rows = self._rows(list(paths))
        if isinstance(self.path, RemotePath):
            parts = list(rows.select("offset", "nbytes").iter_rows())
            yield from zip(rows["path"], read_members(str(self.path), parts), strict=True)
            return
        for path, size, _, offset in rows.iter_rows():
            with damaged_error(self.path, path):
                data = self._at(offset, size)
            yield path, data

    def _scan(self) -> FileListing:
        members = ListingBuilder(self.path, *self.place_columns)
        try:
            with damaged_error(self.path), self.path.open("rb") as stream:
                _add_members(self.path, members, stream, open_nested=self._open_nested)
        except DamagedError as error:
            if not members.count:
                raise
            is_cut = _is_cut(error.__cause__)
            members.end_early(error, self.path.name.encode(), is_last_whole=not is_cut)
        return members.build()


class CompressedTar(FileCollection):
    """The members of a compressed .tar; reading one requires a pass through the archive."""

    random_access = False
    place_columns: ClassVar[tuple[str, ...]] = ("offset",)

    def __init__(
        self, path: Path, decompressor: Decompressor, *, open_nested: bool = False
    ) -> None:
        """Use ``decompressor`` for ``path``; for ``open_nested`` see ``PlainTar``."""
        super().__init__(path)
        self._decompressor = decompressor
        self._open_nested = open_nested

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with self.path.open("rb") as packed, self._decompressor(packed) as stream:
            yield stream

    def _kept_as(self) -> str:
        return f"tar nested={self._open_nested}"

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes, in the order of the archive."""
        rows = self._rows(list(paths)).sort("offset")
        with damaged_error(self.path), self._open() as stream:
            for path, size, _, offset in rows.iter_rows():
                # The decompressor only moves forward; rows are sorted by offset.
                stream.seek(offset)
                data = stream.read(size)
                if len(data) != size:
                    raise EOFError("unexpected end of file")
                yield path, data

    def _scan(self) -> FileListing:
        members = ListingBuilder(self.path, *self.place_columns)
        try:
            with damaged_error(self.path), self._open() as stream:
                _add_members(self.path, members, stream, open_nested=self._open_nested)
                while stream.read(
                    1 << 20
                ):  # to the end, so that the decompressor verifies its checksum
                    pass
        except DamagedError as error:
            # Other damage can have changed any member before the place where it is noticed.
            if not _is_cut(error.__cause__) or not members.count:
                raise
            members.end_early(error, self.path.name.encode())
        return members.build()


def _is_cut(error: BaseException | None) -> bool:
    """Return whether an error means that a file ends too early."""
    text = str(error)
    return (
        isinstance(error, EOFError)
        or text == "unexpected end of data"
        or text.startswith("truncated header")
    )


def _add_members(
    path: Path, members: ListingBuilder, stream: IO[bytes], *, open_nested: bool
) -> None:
    for member, fault in _iter_members(stream):
        if fault:
            members.refuse(_name(member), fault)
        elif open_nested and member.isreg() and member.name.endswith(".tar"):
            before = members.count
            try:
                with damaged_error(path, member.name):
                    _add_nested(members, member, stream)
            except DamagedError as error:
                members.end_early(error, _name(member), before)
        else:
            _add_member(members, member)


def _add_nested(members: ListingBuilder, outer: tarfile.TarInfo, stream: IO[bytes]) -> None:
    """Add the members of the nested tar ``outer``, as files of a folder of its name."""
    window = _StreamSlice(stream, outer.offset_data, outer.size)
    for member, fault in _iter_members(window):
        if fault:
            members.refuse(_name(member), fault, _name(outer))
        else:
            _add_member(members, member, _name(outer), outer.offset_data)


def _add_member(
    members: ListingBuilder, member: tarfile.TarInfo, folder: bytes = b"", start: int = 0
) -> None:
    """Add one member; ``folder`` and ``start`` are the name and offset of a nested tar."""
    if member.isreg() and not member.issparse():
        stamp = max(-_MAX_STAMP, min(_MAX_STAMP, int(member.mtime)))
        numbers = (member.size, stamp, start + member.offset_data)
        members.add_member(_name(member), *numbers, folder=folder)
    elif member.issym() or member.islnk():
        members.refuse(_name(member), "a link", folder)
    elif not member.isdir():
        members.refuse(_name(member), "not a plain file", folder)


def _name(member: tarfile.TarInfo) -> bytes:
    return member.name.encode("utf-8", "surrogateescape")


class _StreamSlice(RawIOBase):
    """A part of a stream as its own stream; it never reads beyond its end."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size = stream, start, size
        self._stream.seek(start)

    def tell(self) -> int:
        return self._stream.tell() - self._start

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._stream.seek(self._start + offset, whence) - self._start

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self.tell())
        return self._stream.read(left if size < 0 else min(size, left))


def _iter_members(stream: IO[bytes] | RawIOBase) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Yield each member, and why it cannot be read; "" if it can.

    If nothing after a member that is too large can be read, the listing ends with it.
    """
    tar = tarfile.TarFile(fileobj=stream, tarinfo=_StrictTarInfo, encoding="utf-8")
    last, header_fault = -1, ""
    member = tar.next()
    while member is not None:
        if tar.offset <= last:
            raise ValueError("a member has a negative size")
        last = tar.offset
        # Otherwise tarfile keeps all headers in memory.
        tar.members.clear()  # type: ignore[attr-defined]
        # A header that was skipped may have held the name and the size of the next member.
        fault = header_fault or _size_fault(member)
        header_fault = _HEADER_FAULT if member.type == _SKIPPED_HEADER else ""
        if not fault:
            yield member, ""
            member = tar.next()
            continue
        try:
            following = tar.next()
        except Exception:  # noqa: BLE001 (as damaged_error, which would end the listing)
            yield member, f"{fault}; nothing after it can be read"
            return
        if not header_fault:
            yield member, fault
        member = following


def _size_fault(member: tarfile.TarInfo) -> str:
    if member.type == _SKIPPED_HEADER:
        return _HEADER_FAULT
    if member.size > MAX_MEMBER_BYTES:
        return f"it has {member.size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read"
    return ""
