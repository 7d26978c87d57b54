"""Several files and folders change together, or not at all.

A job writes into its staging folder. Its commit is one journal file, renamed into place: before
that, the old version stands; after it, the new one does, for whoever finds the journal first
moves the rest into place. So a killed process never leaves a mixture.
"""

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from likewise.errors import DataError, cannot_write
from likewise.storage.workspace import Workspace


class Staging:
    """Where one job writes its results until it commits them together."""

    def __init__(self, ws: Workspace, job: str, keep: Collection[str] = ()) -> None:
        """Name the job; of what a killed run of it left, only the names in ``keep`` stay."""
        self.folder = ws.staging(job)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ws = ws
        self._job = job
        self._moves: dict[str, str] = {}
        for left in self.folder.iterdir():
            if left.name not in keep:
                _remove(left)

    def path(self, final: Path) -> Path:
        """Where to write what will be ``final``."""
        inside = self._ws.relative(final)
        name = final.name if final.suffix == ".lance" else inside.replace("/", "-")
        staged = self.folder / name
        self._moves[self._ws.relative(staged)] = inside
        return staged

    def take(self, staged: Path, final: Path) -> None:
        """Have ``staged``, which lies below ``folder``, become ``final`` too."""
        self._moves[self._ws.relative(staged)] = self._ws.relative(final)

    def commit(self) -> None:
        """Put everything into place, all or nothing."""
        journal = self._ws.commits / f"{self._job}.json"
        write_text(journal, json.dumps(self._moves))
        recover(self._ws)


def recover(ws: Workspace) -> None:
    """Finish every commit that was decided and not carried out."""
    if not ws.commits.is_dir() or not any(ws.commits.glob("*.json")):
        return
    with _locked(ws, "commit", fcntl.LOCK_EX):
        for journal in sorted(ws.commits.glob("*.json")):
            _finish(ws, journal)


@contextmanager
def alone(ws: Workspace, job: str) -> Iterator[None]:
    """Be the only process of this checkout that does ``job``; the system frees the lock.

    So what a dead process left locked is free, whatever its file says.

    Raises:
        DataError: another process does it now, or nothing can be written here.
    """
    try:
        with _locked(ws, job, fcntl.LOCK_EX | fcntl.LOCK_NB) as handle:
            handle.truncate(0)
            handle.write(f"process {os.getpid()} on {socket.gethostname()}")
            handle.flush()
            yield
    except BlockingIOError as error:
        raise DataError(
            f"{job} is running in {_holder(ws, job)}; wait for it to end"
        ) from error
    except Exception as error:
        said = cannot_write(error)
        if not said:
            raise
        raise DataError(f"{job}: {said}") from error


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A folder to write into; it becomes ``final`` at the end, whole or not at all.

    It lies beside ``final``, as ``.NAME.part``, and goes where anything fails; what a killed
    process left of it goes when the next one begins.

    Raises:
        DataError: ``final`` holds something, is being written, or cannot be written.
    """
    final = final.absolute()
    part = final.with_name(f".{final.name}.part")
    try:
        if final.exists() and not (final.is_dir() and not any(final.iterdir())):
            raise DataError(f"{final} holds something already; name a new folder")
        part.mkdir(parents=True, exist_ok=True)
        with _own(part) as mark:
            try:
                yield part
                mark.unlink()
                part.rename(final)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        said = cannot_write(error) or f"{error.filename or final}: {error.strerror}"
        raise DataError(f"{final.name} could not be written: {said}") from error


@contextmanager
def _own(part: Path) -> Iterator[Path]:
    """Be the only process that writes into ``part``, empty but for the lock that is given."""
    mark = part / ".lock"
    if any(part.iterdir()) and not mark.exists():
        raise DataError(f"{part} is in the way, and no part of an export; move it")
    with mark.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{part} is being written by another process") from error
        for left in part.iterdir():
            if left != mark:
                _remove(left)
        yield mark


@contextmanager
def still(ws: Workspace) -> Iterator[None]:
    """Keep every commit of this checkout waiting, to see its files as one commit left them.

    Raises:
        OSError: the checkout cannot be written, and so holds no lock.
    """
    with _locked(ws, "commit", fcntl.LOCK_SH):
        yield


def write_text(path: Path, text: str) -> None:
    """Write a small text file whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _locked(ws: Workspace, name: str, how: int) -> Iterator[TextIO]:
    lock = ws.running(name)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="utf-8") as handle:
        fcntl.flock(handle, how)
        yield handle


def _holder(ws: Workspace, job: str) -> str:
    """Who holds the lock of ``job``, in the words that it wrote there."""
    return ws.running(job).read_text(encoding="utf-8") or "another process"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _finish(ws: Workspace, journal: Path) -> None:
    moves: dict[str, str] = json.loads(journal.read_text(encoding="utf-8"))
    trash = ws.trash(journal.stem)
    for number, (staged, final) in enumerate(moves.items()):
        source, target = ws.root / staged, ws.root / final
        if not source.exists():
            continue
        trash.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            target.rename(_unused(trash / f"{number}-{target.name}"))
        source.replace(target)
    journal.unlink()
    shutil.rmtree(trash, ignore_errors=True)
    shutil.rmtree(ws.staging(journal.stem), ignore_errors=True)


def _unused(path: Path) -> Path:
    number = 0
    while path.with_name(f"{path.name}.{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.{number}")
