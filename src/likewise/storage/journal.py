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
from contextlib import ExitStack, contextmanager
from io import RawIOBase
from pathlib import Path

from likewise.errors import DataError, cannot_write
from likewise.formats import atomic
from likewise.formats.durable import sync, sync_folder
from likewise.storage.workspace import Workspace


class Staging:
    """Where one job writes its results until it commits them together."""

    def __init__(self, ws: Workspace, job: str, keep: Collection[str] = ()) -> None:
        """Name the job; of what a killed run of it left, only the names in ``keep`` stay."""
        self.folder = ws.staging(job)
        self._ws = ws
        self._job = job
        self._moves: dict[str, str] = {}
        with atomic.writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
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
        with atomic.writing(self.folder):
            for staged in self._moves:
                sync(self._ws.root / staged)
        atomic.write_text(journal, json.dumps(self._moves))
        recover(self._ws)


def recover(ws: Workspace) -> None:
    """Finish every commit that was decided and not carried out."""
    if not ws.commits.is_dir() or not any(ws.commits.glob("*.json")):
        return
    with atomic.writing(ws.commits), _locked(ws, "commit", fcntl.LOCK_EX):
        for journal in sorted(ws.commits.glob("*.json")):
            _finish(ws, journal)


@contextmanager
def alone(ws: Workspace, job: str) -> Iterator[None]:
    """Be the only process of this checkout that does ``job``; the system frees the lock.

    So what a dead process left locked is free, whatever its file says.

    Raises:
        DataError: another process does it now, or its lock cannot be written.
    """
    with ExitStack() as held:
        try:
            handle = held.enter_context(_locked(ws, job, fcntl.LOCK_EX | fcntl.LOCK_NB))
            handle.truncate(0)
            handle.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        except BlockingIOError as error:
            raise DataError(
                f"{job} is running in {_holder(ws, job)}; wait for it to end"
            ) from error
        except OSError as error:
            said = cannot_write(error) or (
                f"{error.filename} cannot be written ({error.strerror}); nothing was changed"
            )
            raise DataError(f"{job}: {said}") from error
        yield


@contextmanager
def still(ws: Workspace) -> Iterator[None]:
    """Keep every commit of this checkout waiting, to see its files as one commit left them.

    Raises:
        OSError: the checkout cannot be written, and so holds no lock.
    """
    with _locked(ws, "commit", fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(ws: Workspace, name: str, how: int) -> Iterator[RawIOBase]:
    lock = ws.running(name)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab", buffering=0) as handle:
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
    trash, folders = ws.trash(journal.stem), set[Path]()
    for number, (staged, final) in enumerate(moves.items()):
        source, target = ws.root / staged, ws.root / final
        if not source.exists():
            continue
        trash.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            target.rename(_unused(trash / f"{number}-{target.name}"))
        source.replace(target)
        folders.add(target.parent)
    for folder in folders:
        sync_folder(folder)
    journal.unlink()
    shutil.rmtree(trash, ignore_errors=True)
    shutil.rmtree(ws.staging(journal.stem), ignore_errors=True)


def _unused(path: Path) -> Path:
    number = 0
    while path.with_name(f"{path.name}.{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.{number}")
