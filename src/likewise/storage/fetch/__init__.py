"""Download a file over HTTP: resumable, verified, never overwriting another file."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from likewise.errors import DataError, cannot_write
from likewise.formats.counted_nouns import counted
from likewise.formats.durable import sync, sync_folder
from likewise.storage.fetch.http_client import check_address
from likewise.storage.fetch.transfer import (
    RemoteFile,
    ResumeRefused,
    TransferInterrupted,
    transfer,
    validator_file,
)

__all__ = ["ATTEMPTS", "PAUSE_S", "RemoteFile", "discard_partial", "fetch", "matches"]

ATTEMPTS = 5
"""Number of consecutive attempts with fewer than ``MIN_PROGRESS`` bytes until a download
fails.
"""

MIN_PROGRESS = 64 << 10

MAX_RESTARTS = 1
"""Number of times that a download starts again because the server refuses to resume it."""

MAX_ATTEMPTS = 1000
"""Number of attempts until a download fails, independent of the bytes that it received."""

PAUSE_S = 2.0
"""Seconds before the second attempt; they double before each further attempt."""


def fetch(remote: RemoteFile, target: Path) -> int:
    """Download ``remote`` to the new file ``target`` and return its size in bytes.

    A partial download stays in ``target``.part next to it. The next call resumes it if the
    server confirms that the file is unchanged. The bytes are verified before ``target``
    appears.

    Raises:
        DataError: the address is not on the web; ``target`` exists; the server refuses, keeps
            interrupting the transfer or sends another file; or the disk is full.
    """
    check_address(remote.url)
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with _locked(part) as handle:
            _refuse_existing(target)
            _transfer_all(remote, part, handle)
            _verify(remote, part)
            _move_into_place(part, target)
    except OSError as error:
        raise DataError(
            f"{target}: {cannot_write(error) or error.strerror or error}"
        ) from error
    validator_file(part).unlink(missing_ok=True)
    return target.stat().st_size


def discard_partial(target: Path) -> None:
    """Remove what a killed download left next to the complete file ``target``."""
    part = target.with_name(f"{target.name}.part")
    with suppress(FileNotFoundError):
        if part.samefile(target) or validator_file(part).exists():
            part.unlink()
    validator_file(part).unlink(missing_ok=True)


def matches(remote: RemoteFile, path: Path) -> bool:
    """Return whether the file ``path`` has the size and digest of ``remote``, if known."""
    if remote.nbytes is not None and path.stat().st_size != remote.nbytes:
        return False
    return remote.digest is None or _digest(path, remote.digest) == remote.digest


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise DataError(f"{target} exists and is not overwritten; move it to download it again")


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """Open ``part`` for appending and lock it for this process."""
    with part.open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{part} is being downloaded by another process") from error
        yield handle


def _transfer_all(remote: RemoteFile, part: Path, handle: IO[bytes]) -> None:
    """Repeat requests until the file is complete."""
    failures = attempts = restarts = 0
    while True:
        before = handle.seek(0, os.SEEK_END)
        try:
            transfer(remote, part, handle)
        except ResumeRefused as refusal:
            restarts += 1
            if restarts > MAX_RESTARTS:
                raise DataError(
                    f"{remote.url}: {refusal}, although it announced more; nothing was kept; "
                    "see the website of the data set"
                ) from refusal
        except TransferInterrupted as interruption:
            size = handle.seek(0, os.SEEK_END)
            attempts += 1
            failures = 0 if size >= before + MIN_PROGRESS else failures + 1
            if failures >= ATTEMPTS or attempts >= MAX_ATTEMPTS:
                row = counted(failures, "time") + " in a row"
                times = row if failures else counted(attempts, "time")
                raise DataError(
                    f"{remote.url}: {interruption}, {times}; {size:,} bytes "
                    "are kept, run the same command again to resume"
                ) from interruption
            time.sleep(PAUSE_S * 2**failures / 2)
        else:
            return


def _verify(remote: RemoteFile, part: Path) -> None:
    """Remove and reject a download whose size or digest is wrong."""
    size, fault = part.stat().st_size, ""
    if remote.nbytes is not None and size != remote.nbytes:
        fault = f"{size:,} bytes instead of {remote.nbytes:,}"
    elif remote.digest is not None:
        digest = _digest(part, remote.digest)
        fault = "" if digest == remote.digest else f"its {digest}, expected {remote.digest}"
    if fault:
        part.unlink()
        validator_file(part).unlink(missing_ok=True)
        raise DataError(f"{remote.url}: not the expected file ({fault}); it was removed")


def _digest(path: Path, like: str) -> str:
    with path.open("rb") as stream:
        kind = like.partition(":")[0]
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"


def _move_into_place(part: Path, target: Path) -> None:
    """Rename the complete file to ``target``; never overwrite another file."""
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
