"""Write files and folders completely or not at all; they survive a loss of power.

Everything is first written to a part next to its final place, flushed to the disk, and then
renamed. The part of a file is called ``.NAME.TOKEN.part``. The writer of a part holds a lock on
it. A part without a lock was left by a killed process; the next write of the same file removes
it.
"""

import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from likewise.errors import DataError, LikewiseError, cannot_write
from likewise.formats.durable import sync, sync_folder

_LONGEST_NAME = 200
"""Bytes of a name that the name of its part repeats; a file system allows 255 in all."""

_ENDING = ".part"


def write_text(path: Path, text: str) -> None:
    """Write a small text file; see ``write_bytes``."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_file(path) as part:
        part.write_bytes(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """An empty file to write into; at the end it takes the name ``path``.

    The file has the permissions of the file that it replaces, or those of a new file. Where
    ``path`` is a symbolic link, the file that it leads to is replaced.

    Raises:
        DataError: the file cannot be written; the previous file is unchanged.
    """
    final = path.resolve() if path.is_symlink() else path
    with _part(final, lambda new: new.touch(exist_ok=False)) as part:
        with _own(final):
            mode = (final if final.exists() else part).stat().st_mode
        with writing(final):
            yield part
        with _own(final):
            part.chmod(stat.S_IMODE(mode))  # some libraries set one of their own
            sync(part)
            part.replace(final)
            sync_folder(final.parent)


def need_new_folder(path: Path) -> None:
    """Check that ``path`` does not exist, or is an empty folder.

    Raises:
        DataError: ``path`` holds something.
    """
    final = path.absolute()
    part, mark = _part_and_mark(final)
    if not part.exists():  # the mark of a process that was killed after its last rename
        _remove_unheld(mark)
    if final.exists() and not (final.is_dir() and not any(final.iterdir())):
        raise DataError(f"{final} already exists and is not empty; choose a new folder")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; rename it to ``path`` at the end.

    Until then the folder is ``.NAME.part``, next to the mark ``.NAME.part.lock`` of its only
    writer. Files that a killed process left are removed first.

    Raises:
        DataError: ``path`` holds something, is being written by another process, or cannot be
            written.
    """
    final = path.absolute()
    part, _ = _part_and_mark(final)
    with _own(final):
        need_new_folder(final)
        part.parent.mkdir(parents=True, exist_ok=True)
    with _claimed(final):
        try:
            with writing(final):
                yield part
            with _own(final):
                sync(part)
                part.rename(final)
                sync_folder(final.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def spare_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder next to ``path``; remove it and its contents at the end.

    Raises:
        DataError: the folder cannot be created.
    """
    with _part(path, Path.mkdir) as part:
        yield part


def replace_folder(part: Path, path: Path) -> None:
    """Rename the folder ``part`` to ``path``; an existing folder is replaced.

    Raises:
        DataError: the folder cannot be renamed.
    """
    with _own(path):
        sync(part)
        old = beside(path)
        if path.exists():
            path.rename(old)
        part.rename(path)
        sync_folder(path.parent)
        shutil.rmtree(old, ignore_errors=True)


def replace_by_link(path: Path, source: Path) -> None:
    """Make ``path`` a hard link to ``source``; replace any file of that name.

    Raises:
        DataError: the file cannot be written.
    """
    with _own(path):
        part = beside(path)
        os.link(source, part)
        part.replace(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Report in one line that ``path`` cannot be written, and why.

    Errors of a full or read-only disk are always reported so; only a write causes them. Other
    system errors are so only if they name ``path``, an entry of it, or a folder above it.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        yield
    except LikewiseError:
        raise
    except Exception as error:
        if reason := cannot_write(error):
            raise DataError(f"{path} cannot be written: {reason}") from error
        if isinstance(error, OSError) and _names(error, path):
            raise DataError(f"{path} cannot be written: {error.strerror}") from error
        raise


def beside(path: Path) -> Path:
    """An unused name in the folder of ``path``, for what will be ``path`` or was."""
    return path.with_name(f"{_stem(path)}{secrets.token_hex(4)}{_ENDING}")


@contextmanager
def _own(path: Path) -> Iterator[None]:
    """Report every error of the system as one of writing ``path``."""
    try:
        yield
    except OSError as error:
        reason = cannot_write(error) or error.strerror
        raise DataError(f"{path} cannot be written: {reason}") from error


def _part_and_mark(final: Path) -> tuple[Path, Path]:
    part = final.with_name(f".{final.name}{_ENDING}")
    return part, part.with_name(f"{part.name}.lock")


@contextmanager
def _claimed(final: Path) -> Iterator[None]:
    """Be the only process that writes into the part, which is empty; remove the mark last."""
    part, mark = _part_and_mark(final)
    with ExitStack() as held:
        with _own(final):
            if part.is_dir() and any(part.iterdir()) and not mark.exists():
                raise DataError(
                    f"{part} is in the place of the temporary files of an export, but no "
                    "export wrote it; move it"
                )
            handle = held.enter_context(mark.open("w"))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError(f"{part} is being written by another process") from error
            part.mkdir(exist_ok=True)
            for left in part.iterdir():
                _remove(left)
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)


@contextmanager
def _part(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Make and lock a part of ``path``; at the end remove it if it still exists."""
    with _own(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_left_parts(path)
        part, lock = _made(path, make)
    try:
        yield part
    finally:
        os.close(lock)
        _remove(part)


def _made(path: Path, make: Callable[[Path], None]) -> tuple[Path, int]:
    """Make a part; return it and the descriptor that holds its lock."""
    while True:
        part = beside(path)
        make(part)
        # Until it is locked, another writer may remove it as one that was left.
        with suppress(FileNotFoundError):
            lock = os.open(part, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            if part.exists():
                return part, lock
            os.close(lock)


def remove_left_parts(path: Path) -> None:
    """Remove the parts of ``path`` that killed processes have left."""
    for left in _parts(path):
        _remove_unheld(left)


def _parts(path: Path) -> list[Path]:
    """Return the existing parts of ``path``: those being written, and those that were left."""
    pattern = re.compile(rf"{re.escape(_stem(path))}[0-9a-f]{{8}}{re.escape(_ENDING)}")
    try:
        return [one for one in path.parent.iterdir() if pattern.fullmatch(one.name)]
    except OSError:
        return []


def _remove_unheld(part: Path) -> None:
    """Remove ``part`` if its lock is free; keep it if that cannot be checked."""
    with suppress(OSError):
        handle = os.open(part, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(part)
        finally:
            os.close(handle)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)


def _stem(path: Path) -> str:
    """Return the prefix of the names of the parts of ``path``."""
    return f".{path.name.encode()[:_LONGEST_NAME].decode(errors='ignore')}."


def _names(error: OSError, path: Path) -> bool:
    """Return True if ``error`` names ``path``, a part, their contents, or a parent."""
    own = path.absolute()
    for name in (error.filename, error.filename2):
        if not isinstance(name, str | bytes):
            continue
        absolute = Path(os.fsdecode(name)).absolute()
        if absolute in own.parents or own in (absolute, *absolute.parents):
            return True
        if any(
            one.parent == own.parent and _is_part(one, own)
            for one in (absolute, *absolute.parents)
        ):
            return True
    return False


def _is_part(one: Path, path: Path) -> bool:
    return one.name.startswith(_stem(path)) and one.name.endswith(_ENDING)
