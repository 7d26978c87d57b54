"""The members of a .tar, plain or compressed."""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path

from likewise.files.base import Archive, Collector, Files, Found, damage

Opener = Callable[[Path], BufferedIOBase]

_MOST = 2**62


class _Member(tarfile.TarInfo):
    """A header that must be whole: the standard reader takes a damaged one for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        """See ``tarfile.TarInfo.frombuf``."""
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # which says: the end
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise ValueError(f"{error} where a member or the end is due") from error
        if member.size < 0:
            raise ValueError("a member has a negative size")
        return member


class PlainTar(Archive):
    """The members of an uncompressed .tar, each read from its own offset."""

    def read(self, path: str) -> bytes:
        """The bytes of the member ``path``; see ``Files.read``."""
        _, size, _, offset = self._row(path)
        with damage(self.path, path):
            return self._at(offset, size)

    def _scan(self) -> Found:
        with damage(self.path), self.path.open("rb") as stream:
            return _found(self.path, stream)


class CompressedTar(Files):
    """The members of a compressed .tar; one of them costs a pass through all."""

    random_access = False

    def __init__(self, path: Path, opener: Opener) -> None:
        """``opener`` opens ``path`` for the bytes of the tar in it."""
        super().__init__(path)
        self._opener = opener

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
            found = _found(self.path, stream)
            while stream.read(1 << 20):  # up to the checksum that ends the compressed data
                pass
        return found


def _found(path: Path, stream: BufferedIOBase) -> Found:
    members = Collector(path, "offset")
    for member in _walk(stream):
        name = member.name.encode("utf-8", "surrogateescape")
        if member.isdir():
            continue
        if member.issym() or member.islnk():
            members.refuse(name, "a link")
        elif not member.isreg() or member.issparse():
            members.refuse(name, "not a plain file")
        else:
            stamp = max(-_MOST, min(_MOST, int(member.mtime)))
            members.add_member(name, member.size, stamp, member.offset_data)
    return members.found()


def _walk(stream: BufferedIOBase) -> Iterator[tarfile.TarInfo]:
    tar = tarfile.TarFile(fileobj=stream, tarinfo=_Member, encoding="utf-8")
    last = -1
    while (member := tar.next()) is not None:
        if tar.offset <= last:
            raise ValueError("a member has a negative size")
        last = tar.offset
        # Else every header stays in memory.
        tar.members.clear()  # type: ignore[attr-defined]
        yield member
