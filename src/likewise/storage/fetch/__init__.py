"""Fetch a file over HTTP: taken up again where it broke off, checked, never over another."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from likewise.errors import DataError, cannot_write
from likewise.formats.durable import sync, sync_folder
from likewise.storage.fetch.transfer import BrokeOff, Wanted, note, transfer

__all__ = ["ATTEMPTS", "PAUSE_S", "Wanted", "fetch", "is_right"]

ATTEMPTS = 5
"""So often in a row a server may break off without a byte before we give up."""

PAUSE_S = 2.0
"""Before the second attempt; twice as long before every further one."""


def fetch(wanted: Wanted, target: Path) -> int:
    """Fetch ``wanted`` into the new file ``target``; how many bytes it has.

    What has come stays in ``target``.part beside it, and is gone on with, where the server
    says that it is still the same file. The bytes are checked before they get their name.

    Raises:
        DataError: ``target`` is there; the server refuses, breaks off again and again, or sends
            another file; the disk is full.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part) as handle:
            _refuse_existing(target)
            _all_of(wanted, part, handle)
            _check(wanted, part)
            _name(part, target)
    except OSError as error:
        raise DataError(
            f"{target}: {cannot_write(error) or error.strerror or error}"
        ) from error
    note(part).unlink(missing_ok=True)
    return target.stat().st_size


def is_right(wanted: Wanted, path: Path) -> bool:
    """Whether the file in ``path`` is what is ``wanted``, as far as that is known."""
    if wanted.nbytes is not None and path.stat().st_size != wanted.nbytes:
        return False
    return wanted.digest is None or _digest(path, wanted.digest) == wanted.digest


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise DataError(f"{target} is there already and stays as it is; move it to fetch anew")


@contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """``part`` open at its end, for this process alone."""
    with part.open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{part} is being fetched by another process") from error
        yield handle


def _all_of(wanted: Wanted, part: Path, handle: IO[bytes]) -> None:
    """Fetch until all is there."""
    failures = 0
    while True:
        before = handle.seek(0, os.SEEK_END)
        try:
            transfer(wanted, part, handle)
        except BrokeOff as reason:
            size = handle.seek(0, os.SEEK_END)
            failures = 0 if size > before else failures + 1
            if failures >= ATTEMPTS:
                raise DataError(
                    f"{wanted.url}: {reason}, {ATTEMPTS} times in a row; {size:,} bytes are "
                    "kept, run the same command again to go on"
                ) from reason
            time.sleep(PAUSE_S * 2**failures / 2)
        else:
            return


def _check(wanted: Wanted, part: Path) -> None:
    """Refuse, and remove, what is not the file that was wanted."""
    size, fault = part.stat().st_size, ""
    if wanted.nbytes is not None and size != wanted.nbytes:
        fault = f"{size:,} bytes came, and the file has {wanted.nbytes:,}"
    elif wanted.digest is not None:
        found = _digest(part, wanted.digest)
        fault = "" if found == wanted.digest else f"its {found}, expected {wanted.digest}"
    if fault:
        part.unlink()
        note(part).unlink(missing_ok=True)
        raise DataError(f"{wanted.url}: another file than expected ({fault}); it was removed")


def _digest(path: Path, like: str) -> str:
    with path.open("rb") as stream:
        kind = like.partition(":")[0]
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"


def _name(part: Path, target: Path) -> None:
    """Give the whole file its name, never one that is taken."""
    sync(part)
    try:
        os.link(part, target)
    except FileExistsError:
        _refuse_existing(target)
    except OSError:  # no hard links here
        _refuse_existing(target)
        part.rename(target)
    part.unlink(missing_ok=True)
    sync_folder(target.parent)
