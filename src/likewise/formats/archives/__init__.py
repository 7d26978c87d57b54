"""Read files from folders, .zip and .tar archives in place; nothing is unpacked to disk."""

import bz2
import gzip
import lzma
import tarfile
from pathlib import Path
from typing import IO, cast

from likewise.errors import DataError
from likewise.formats.archives.file_collection import FileCollection
from likewise.formats.archives.folders_anywhere import open_folder
from likewise.formats.archives.located_files import located_rows
from likewise.formats.archives.nested import FolderOfArchives
from likewise.formats.archives.tars import CompressedTar, Decompressor, PlainTar
from likewise.formats.archives.zips import Zip

__all__ = ["FileCollection", "is_archive", "open_files"]

READABLE = "a folder, a .zip, or a .tar (also .gz, .xz, .bz2)"

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: dict[bytes, Decompressor] = {
    b"\x1f\x8b": lambda packed: cast("IO[bytes]", gzip.GzipFile(fileobj=packed, mode="rb")),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "Zstandard data",
}


def open_files(
    path: Path, *, open_nested: bool = False, strict: bool = False
) -> FileCollection:
    """Open the folder or archive at ``path``.

    The format of an archive is recognised by its first bytes, because caches drop suffixes.

    Args:
        path: folder, .zip, or .tar (also compressed with gzip, xz or bzip2).
        open_nested: treat archives in a folder, and tars in a tar, as folders of their members.
        strict: refuse an archive that is damaged or repeats member names. By default, what can
            be read of a tar that was cut is listed, and ``refused`` has the rest.

    Raises:
        DataError: ``path`` does not exist, is empty, or cannot be read: damaged, truncated, or
            an unsupported format.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; correct the path, or put the data there")
    files: FileCollection
    if path.is_dir():
        nested = FolderOfArchives(path, _open_nested_archive) if open_nested else None
        files = nested or open_folder(path)
    else:
        files = _open_archive(path, open_nested=open_nested)
    if (rows := located_rows(path)) is not None:
        files.limit_to(rows)
    if files.listing().is_empty() and not files.undecodable and not files.refused:
        raise DataError(f"{path} contains no files; give the folder or archive of the files")
    if strict and files.damage:
        raise DataError("; ".join(files.damage))
    return files


def is_archive(path: Path) -> bool:
    """Return True if the file at ``path`` starts like an archive that ``open_files`` reads."""
    with path.open("rb") as stream:
        head = stream.read(tarfile.BLOCKSIZE)
    return head.startswith((*_ZIP, *_COMPRESSED)) or _begins_tar(head)


def _open_nested_archive(path: Path) -> FileCollection:
    return _open_archive(path, open_nested=True)


def _open_archive(path: Path, *, open_nested: bool) -> FileCollection:
    try:
        with path.open("rb") as stream:
            head = stream.read(tarfile.BLOCKSIZE)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise DataError(f"{path} is an empty file; download or create it again")
    for magic, decompressor in _COMPRESSED.items():
        if head.startswith(magic):
            return CompressedTar(path, decompressor, open_nested=open_nested)
    if head.startswith(_ZIP) or path.suffix.lower() == ".zip":
        return Zip(path)
    if _begins_tar(head) or path.suffix.lower() == ".tar":
        return PlainTar(path, open_nested=open_nested)
    other = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")
    if other:
        raise DataError(f"{path} is {other}, which is not supported; unpack it, or use .tar")
    raise DataError(f"{path} is not an archive; expected {READABLE}")


def _begins_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True
