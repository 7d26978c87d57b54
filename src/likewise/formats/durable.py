"""Flush written files to the disk (fsync), so that they survive a loss of power."""

import ctypes
import errno
import os
from pathlib import Path

_FEW = 64
"""Maximum number of files that are synced one by one; for more files, the whole file system is
synced.
"""


def sync(path: Path) -> None:
    """Bring a file, or a folder and all in it, to the disk."""
    if not path.is_dir():
        _sync_file(path)
        return
    inside = [*path.rglob("*")]
    if len(inside) > _FEW and _sync_all(path):
        return
    for one in (*inside, path):
        if one.is_dir():
            sync_folder(one)
        else:
            _sync_file(one)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the file system can do so."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a folder that one may write into, but not list
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _sync_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _sync_all(folder: Path) -> bool:
    """Bring the file system of ``folder`` to the disk; False where that cannot be done."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    handle = os.open(folder, os.O_RDONLY)
    try:
        if call(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(handle)
    return True
