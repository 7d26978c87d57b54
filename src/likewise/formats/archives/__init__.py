"""Files of a folder, a .zip or a .tar, read where they lie: nothing is ever unpacked."""

import bz2
import gzip
import lzma
import tarfile
from pathlib import Path

from likewise.errors import DataError
from likewise.formats.archives.base import Files
from likewise.formats.archives.folders import Folder
from likewise.formats.archives.nested import Shelf
from likewise.formats.archives.tars import CompressedTar, Opener, PlainTar
from likewise.formats.archives.zips import Zip

__all__ = ["Files", "is_archive", "open_files"]

READABLE = "a folder, a .zip, or a .tar (also .gz, .xz, .bz2)"

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: dict[bytes, Opener] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "Zstandard data",
}


def open_files(path: Path, *, inside: bool = False) -> Files:
    """The files of the folder or archive at ``path``.

    What an archive is, its first bytes say: data sets lose their suffixes in caches.

    Args:
        path: the folder or archive.
        inside: whether archives in the folder, and tars in a tar, are looked into; each is then
            the folder of what is in it.

    Raises:
        DataError: there is nothing at ``path``, nothing in it, or it cannot be read as what it
            is: damaged, cut short, two members of one name, another kind of archive.
    """
    if not path.exists():
        raise DataError(f"there is nothing at {path}; correct the path, or put the data there")
    files: Files
    if path.is_dir():
        files = Shelf(path, _opened_inside) if inside else Folder(path)
    else:
        files = _open_archive(path, inside=inside)
    if files.listing().is_empty() and not files.undecodable and not files.refused:
        raise DataError(f"{path} holds no files; point at the folder or archive that does")
    return files


def is_archive(path: Path) -> bool:
    """Whether the file at ``path`` begins as an archive that ``open_files`` reads."""
    with path.open("rb") as stream:
        head = stream.read(tarfile.BLOCKSIZE)
    return head.startswith((*_ZIP, *_COMPRESSED)) or _begins_tar(head)


def _opened_inside(path: Path) -> Files:
    return _open_archive(path, inside=True)


def _open_archive(path: Path, *, inside: bool) -> Files:
    try:
        with path.open("rb") as stream:
            head = stream.read(tarfile.BLOCKSIZE)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise DataError(f"{path} is an empty file; fetch or make it again")
    for magic, opener in _COMPRESSED.items():
        if head.startswith(magic):
            return CompressedTar(path, opener, inside=inside)
    if head.startswith(_ZIP) or path.suffix.lower() == ".zip":
        return Zip(path)
    if _begins_tar(head) or path.suffix.lower() == ".tar":
        return PlainTar(path, inside=inside)
    what = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")
    if what:
        raise DataError(f"{path} is {what}, which is not read; unpack it, or pack it as .tar")
    raise DataError(f"{path} is no archive; give {READABLE}")


def _begins_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True
