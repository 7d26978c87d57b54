"""The members of a .tar, plain or compressed."""

import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from io import SEEK_SET, BufferedIOBase, IOBase, RawIOBase
from pathlib import Path

from likewise.formats.archives.base import Archive, Collector, Files, Found, damage

Opener = Callable[[Path], BufferedIOBase]

_MOST = 2**62

_USUAL = re.compile(
    rb"(?=([^\0]{1,100})).{124}([0-7]{11})[ \0]([0-7]{11})[ \0]([0-7]{6,7})[ \0]{1,2}"
    rb"0.{100}ustar.{83}\0.{166}",
    re.DOTALL,
)
"""The header of a plain file: its name, size, time and checksum; no prefix to its name."""


class _Member(tarfile.TarInfo):
    """A header that must be whole: the standard reader takes a damaged one for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        """See ``tarfile.TarInfo.frombuf``."""
        member = cls._usual(buf, encoding, errors)
        if member is not None:
            return member
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # which says: the end
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise ValueError(f"{error} where a member or the end is due") from error
        if member.size < 0:
            raise ValueError("a member has a negative size")
        return member

    @classmethod
    def _usual(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member | None":
        """A plain file by its usual header, in a fifth of the time; None: look more closely.

        Source: POSIX.1-2017, pax, "ustar Interchange Format".
        """
        usual = _USUAL.match(buf)
        if usual is None:
            return None
        name, size, mtime, checksum = usual.groups()
        if int(checksum, 8) != 256 + sum(buf) - sum(buf[148:156]):
            return None
        member = cls(name.decode(encoding, errors))
        member.size, member.mtime = int(size, 8), int(mtime, 8)
        return member


class PlainTar(Archive):
    """The members of an uncompressed .tar, each read from its own offset."""

    def __init__(self, path: Path, *, inside: bool = False) -> None:
        """Remember ``path``; ``inside``: a tar in the tar is the folder of its members."""
        super().__init__(path)
        self._inside = inside

    def read(self, path: str) -> bytes:
        """The bytes of the member ``path``; see ``Files.read``."""
        _, size, _, offset = self._row(path)
        with damage(self.path, path):
            return self._at(offset, size)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each of the ``paths`` with its bytes, in their order."""
        for path, size, _, offset in self._rows(list(paths)).iter_rows():
            with damage(self.path, path):
                data = self._at(offset, size)
            yield path, data

    def _scan(self) -> Found:
        with damage(self.path), self.path.open("rb") as stream:
            return _found(self.path, stream, inside=self._inside)


class CompressedTar(Files):
    """The members of a compressed .tar; one of them costs a pass through all."""

    random_access = False

    def __init__(self, path: Path, opener: Opener, *, inside: bool = False) -> None:
        """``opener`` opens ``path`` for the bytes of the tar; ``inside`` as of PlainTar."""
        super().__init__(path)
        self._opener = opener
        self._inside = inside

    def read(self, path: str) -> bytes:
        """The bytes of the member ``path``; see ``Files.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each of the ``paths`` with its bytes, in the archive's own order."""
        rows = self._rows(list(paths)).sort("offset")
        with damage(self.path), self._opener(self.path) as stream:
            for path, size, _, offset in rows.iter_rows():
                # The decompressor goes forward only; offsets rise, so nothing is read twice.
                stream.seek(offset)
                data = stream.read(size)
                if len(data) != size:
                    raise EOFError("it ends too early")
                yield path, data

    def _scan(self) -> Found:
        with damage(self.path), self._opener(self.path) as stream:
            found = _found(self.path, stream, inside=self._inside)
            while stream.read(1 << 20):  # up to the checksum that ends the compressed data
                pass
        return found


def _found(path: Path, stream: BufferedIOBase, *, inside: bool) -> Found:
    members = Collector(path, "offset")
    for member in _walk(stream):
        if inside and member.isreg() and member.name.endswith(".tar"):
            with damage(path, member.name):
                _take_inside(members, member, stream)
        else:
            _take(members, member)
    return members.found()


def _take_inside(members: Collector, outer: tarfile.TarInfo, stream: BufferedIOBase) -> None:
    """The members of a tar that is itself a member, as files of a folder of its name."""
    window = _Window(stream, outer.offset_data, outer.size)
    for member in _walk(window):
        _take(members, member, _name(outer), outer.offset_data)


def _take(
    members: Collector, member: tarfile.TarInfo, folder: bytes = b"", start: int = 0
) -> None:
    """One member: ``folder`` and ``start`` say in which inner tar, and where that begins."""
    if member.isreg() and not member.issparse():
        stamp = max(-_MOST, min(_MOST, int(member.mtime)))
        numbers = (member.size, stamp, start + member.offset_data)
        members.add_member(_name(member), *numbers, folder=folder)
    elif member.issym() or member.islnk():
        members.refuse(_name(member), "a link", folder)
    elif not member.isdir():
        members.refuse(_name(member), "not a plain file", folder)


def _name(member: tarfile.TarInfo) -> bytes:
    return member.name.encode("utf-8", "surrogateescape")


class _Window(RawIOBase):
    """A part of a stream as a stream of its own: what lies behind it is never read."""

    def __init__(self, stream: BufferedIOBase, start: int, size: int) -> None:
        self._stream, self._start, self._size = stream, start, size
        self._stream.seek(start)

    def tell(self) -> int:
        return self._stream.tell() - self._start

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._stream.seek(self._start + offset, whence) - self._start

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self.tell())
        return self._stream.read(left if size < 0 else min(size, left))


def _walk(stream: IOBase) -> Iterator[tarfile.TarInfo]:
    tar = tarfile.TarFile(fileobj=stream, tarinfo=_Member, encoding="utf-8")
    last = -1
    while (member := tar.next()) is not None:
        if tar.offset <= last:
            raise ValueError("a member has a negative size")
        last = tar.offset
        # Else every header stays in memory.
        tar.members.clear()  # type: ignore[attr-defined]
        yield member
