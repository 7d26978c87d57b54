"""Members of .zip archives, located through the central directory.

Source: PKWARE, APPNOTE.TXT, .ZIP File Format Specification 6.3.10, sections 4.3 to 4.5. The
reader of the standard library keeps an object of about 1 kB per member in each process.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import polars as pl

from likewise.formats.archives.file_collection import Archive, damaged_error
from likewise.formats.archives.listing import MAX_MEMBER_BYTES, FileListing, ListingBuilder
from likewise.formats.counted_nouns import counted

_END = struct.Struct("<4s4H2LH")
_LOCATOR64 = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FULL = 0xFFFFFFFF

_STORED, _DEFLATED = 0, 8
_MAX_RATIO = 1032
"""Maximum size of a member divided by its packed size: the limit of DEFLATE."""

_ENCRYPTED = 1
_UNIX = (3, 19)


class _CentralDirectory(NamedTuple):
    """Bytes of the central directory, and the offset of the archive in its file (``shift``)."""

    data: bytes
    entries: int
    shift: int


class _DirectoryEntry(NamedTuple):
    name: bytes
    size: int
    crc: int
    offset: int
    packed: int
    method: int
    flags: int
    mode: int


class Zip(Archive):
    """The members of a .zip, stored or deflated; each is verified by its CRC-32."""

    place_columns: ClassVar[tuple[str, ...]] = ("offset", "packed", "method")

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        _, size, crc, offset, packed, method = self._row(path)
        with damaged_error(self.path, path):
            header = _LOCAL.unpack(self._at(offset, _LOCAL.size))
            if header[0] != b"PK\x03\x04":
                raise ValueError("its header is missing")
            data = self._at(offset + _LOCAL.size + header[9] + header[10], packed)
            if method == _DEFLATED:
                # Allow one byte more than expected: longer members are detected, not inflated.
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
            if len(data) != size or zlib.crc32(data) != crc:
                raise ValueError("its checksum differs")
        return data

    def _kept_as(self) -> str:
        return "zip"

    def _scan(self) -> FileListing:
        members = ListingBuilder(self.path, *self.place_columns)
        with damaged_error(self.path):
            directory, length = self._directory(), self.path.stat().st_size
            for entry in _entries(directory):
                if entry.name.endswith(b"/") or stat.S_ISDIR(entry.mode):
                    continue
                place = entry.offset + directory.shift
                reason = _unreadable_reason(entry) or _size_fault(entry, place, length)
                if reason:
                    members.refuse(entry.name, reason)
                    continue
                members.add_member(
                    entry.name, entry.size, entry.crc, place, entry.packed, entry.method
                )
        return members.build(_overlapping)

    def _directory(self) -> _CentralDirectory:
        length = self.path.stat().st_size
        start = max(0, length - _END.size - 0xFFFF)
        tail = self._at(start, length - start)
        at = _find_end_record(tail)
        *_, entries, size, offset, _ = _END.unpack_from(tail, at)
        end = start + at
        if tail[max(0, at - _LOCATOR64.size) : at].startswith(b"PK\x06\x07"):
            end, entries, size, offset = self._directory64(end - _LOCATOR64.size)
        shift = end - size - offset
        if shift < 0:
            raise ValueError("its directory is missing")
        return _CentralDirectory(self._at(end - size, size), entries, shift)

    def _directory64(self, locator: int) -> tuple[int, int, int, int]:
        """Return offset of the Zip64 end record; entries, size and offset of the directory."""
        _, _, place, _ = _LOCATOR64.unpack(self._at(locator, _LOCATOR64.size))
        # The record directly before its locator is right even if the archive is shifted.
        for end in (locator - _END64.size, place):
            record = _END64.unpack(self._at(end, _END64.size))
            if record[0] == b"PK\x06\x06":
                return end, record[7], record[8], record[9]
        raise ValueError("its Zip64 end record is missing")


def _size_fault(entry: _DirectoryEntry, place: int, length: int) -> str:
    """Return why the sizes of the member are wrong or too large; "" if they are not.

    Args:
        entry: the member.
        place: its offset in the file.
        length: the size of the file in bytes.
    """
    if entry.size > MAX_MEMBER_BYTES:
        return f"it has {entry.size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read"
    if place + _LOCAL.size + entry.packed > length:
        return "it ends after the end of the archive"
    if entry.size > _MAX_RATIO * entry.packed + _MAX_RATIO:
        return f"{entry.packed:,} bytes cannot unpack to its {entry.size:,} bytes"
    return ""


def _overlapping(members: pl.DataFrame) -> pl.DataFrame:
    """Return ``path`` and ``reason`` of the members that overlap one before them.

    No program packs members like this. A small archive can so hold any number of large members.
    """
    ordered = members.sort("offset", "path")
    end = pl.col("offset") + _LOCAL.size + pl.col("packed")
    before = end.cum_max().shift(fill_value=0)
    reason = pl.lit("it overlaps another member of the archive")
    return ordered.filter(pl.col("offset") < before).select("path", reason=reason)


def _find_end_record(tail: bytes) -> int:
    """Return the position of the end record in ``tail``, the last bytes of the file."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            comment = _END.unpack_from(tail, at)[7]
            if at + _END.size + comment <= len(tail):
                return at
        at = tail.rfind(b"PK\x05\x06", 0, at)
    raise ValueError("its end is missing")


def _entries(directory: _CentralDirectory) -> Iterator[_DirectoryEntry]:
    data, at, count = directory.data, 0, 0
    while at < len(data):
        fields = _ENTRY.unpack_from(data, at)
        if fields[0] != b"PK\x01\x02":
            raise ValueError("its directory is broken")
        names = at + _ENTRY.size
        extras = names + fields[10]
        at = extras + fields[11] + fields[12]
        if at > len(data):
            raise ValueError("its directory is broken")
        size, packed, offset = _zip64_sizes(fields, data[extras : extras + fields[11]])
        made_by, attributes = fields[1] >> 8, fields[15]
        mode = attributes >> 16 if made_by in _UNIX else 0
        yield _DirectoryEntry(
            data[names:extras], size, fields[7], offset, packed, fields[4], fields[3], mode
        )
        count += 1
    # Writers without Zip64 store only 16 bits of the count.
    if count & 0xFFFF != directory.entries & 0xFFFF:
        raise ValueError(
            f"its directory announces {counted(directory.entries, 'member')} and lists "
            f"{count:,}"
        )


def _zip64_sizes(fields: tuple[int, ...], extra: bytes) -> tuple[int, int, int]:
    """Return size, packed size and offset, from the Zip64 field if they exceed 32 bits."""
    short = [fields[9], fields[8], fields[16]]
    if _FULL not in short:
        return short[0], short[1], short[2]
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])
            size, packed, offset = (next(wide)[0] if n == _FULL else n for n in short)
            return size, packed, offset
        at += 4 + length
    return short[0], short[1], short[2]


def _unreadable_reason(entry: _DirectoryEntry) -> str:
    """Return why the member cannot be read; "" if it can."""
    if stat.S_ISLNK(entry.mode):
        return "a link"
    if stat.S_IFMT(entry.mode) not in (0, stat.S_IFREG):
        return "not a file"
    if entry.flags & _ENCRYPTED:
        return "it is encrypted"
    if entry.method not in (_STORED, _DEFLATED):
        return f"compressed by method {entry.method}; only stored and deflated are read"
    return ""
