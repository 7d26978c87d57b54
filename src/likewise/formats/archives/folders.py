"""The files under a folder."""

import os
from pathlib import Path

from likewise.errors import DamagedError, DataError
from likewise.formats.archives.base import Collector, Files, Found

_MORE = 64 << 20

_Folder = tuple[bytes, tuple[bytes, ...]]
"""A folder to look into: its path from the top, and the real paths of it and those above."""


class Folder(Files):
    """The files under a folder; a link to a file is that file, a link to a folder that folder.

    Names are taken as bytes from the file system and must be UTF-8, whatever the locale is.
    """

    def __init__(self, path: Path) -> None:
        """Remember ``path``."""
        super().__init__(path)
        self._top = os.fsencode(path) + b"/"

    def read(self, path: str) -> bytes:
        """The bytes of the file ``path``; see ``Files.read``."""
        if path.startswith("/") or ".." in path.split("/"):
            raise self._missing(path)
        try:
            return _whole(self._top + path.encode())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError) as error:
            raise self._missing(path) from error
        except OSError as error:
            what = f"{self.path}: cannot read {path!r}: {error.strerror}"
            raise DamagedError(what) from error

    def _scan(self) -> Found:
        members = Collector(self.path)
        pending: list[_Folder] = [(b"", (os.path.realpath(self._top),))]
        try:
            while pending:
                pending += self._look(pending.pop(), members)
        except OSError as error:
            place = os.fsdecode(error.filename or b"")
            raise DataError(f"{place or self.path} cannot be read: {error.strerror}") from error
        return members.found()

    def _look(self, folder: _Folder, members: Collector) -> list[_Folder]:
        """Take in the files of one folder; the folders in it are returned."""
        prefix, chain = folder
        below = []
        with os.scandir(self._top + prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                try:
                    is_folder, is_file = entry.is_dir(), entry.is_file()
                except OSError:  # a link that leads to itself
                    is_folder = is_file = False
                if is_file:
                    facts = entry.stat()
                    members.add(name, facts.st_size, facts.st_mtime_ns)
                elif not is_folder:
                    why = "a link to nothing" if entry.is_symlink() else "not a file"
                    members.refuse(name, why)
                elif (real := _real(entry, chain[-1])) in chain:
                    members.refuse(name, "a link to a folder that it lies in")
                else:
                    below.append((name + b"/", (*chain, real)))
        return below


def _whole(path: bytes) -> bytes:
    """The bytes of a file, in two thirds of the time that a file object takes."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        data = os.read(handle, size + 1)
        while len(data) != size and (more := os.read(handle, _MORE)):  # it grew, or is huge
            data += more
    finally:
        os.close(handle)
    return data


def _real(entry: os.DirEntry[bytes], parent: bytes) -> bytes:
    if entry.is_symlink():
        return os.path.realpath(entry.path)
    return parent.rstrip(b"/") + b"/" + entry.name
