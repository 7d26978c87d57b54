"""Replace several files and folders together, or none of them.

A job writes into its staging folder. The job commits by renaming one journal file. Before that,
the old version is valid; afterwards the new one is, because the next process that finds the
journal completes its moves. A killed process never leaves a mixture of both.

A journal is used only if this checkout sealed it (see ``seals``). All its paths are inside the
catalogue and outside git's folder, and they contain no symbolic link.
"""

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from io import RawIOBase
from pathlib import Path

from likewise.errors import DataError, cannot_write
from likewise.formats import atomic
from likewise.formats.durable import sync, sync_folder
from likewise.formats.paths import inside, refuse_links
from likewise.storage import seals
from likewise.storage.workspace import Workspace

_MOVING = ("rename-", "remove-")
"""Jobs that move files of the checkout; all others move files of their staging folder only."""


class Staging:
    """Staging folder of one job, whose results are committed together."""

    def __init__(self, ws: Workspace, job: str, keep: Collection[str] = ()) -> None:
        """Create the staging folder; keep the files of a killed run that are in ``keep``.

        Raises:
            DataError: the folder cannot be written, or another checkout made the files in
            ``keep``.
        """
        self.folder = ws.staging(job)
        self._ws = ws
        self._job = job
        self._moves: dict[str, str] = {}
        refuse_links(ws.home, self.folder)
        mark = ws.lock_file(f"{job}.seal")  # beside the lock: the folder is the job's own
        refuse_links(ws.home, mark)
        kept = any((self.folder / name).exists() for name in keep)
        if kept and not seals.is_marked(ws, mark, _purpose(job)):
            raise DataError(seals.unsealed(ws, self.folder))
        with atomic.writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.iterdir():
                if left.name not in keep:
                    _remove(left)
        seals.mark(ws, mark, _purpose(job))

    def path(self, final: Path) -> Path:
        """Return the path to write to for the file or folder ``final``."""
        whole = self._ws.relative(final).replace("/", "-")
        name = final.name if final.suffix == ".lance" else whole
        staged = self.folder / name
        self.take(staged, final)
        return staged

    def take(self, staged: Path, final: Path) -> None:
        """Register ``staged``, a path below ``folder``, to become ``final``.

        Raises:
            DataError: ``final`` is not in the catalogue, or a symbolic link is in its way.
        """
        inside(self._ws.root, self._ws.relative(final), self._job, replaced=True)
        self._moves[self._ws.relative(staged)] = self._ws.relative(final)

    def move(self, source: Path, final: Path) -> None:
        """Register a file or folder of the checkout to become ``final``.

        Raises:
            DataError: a symbolic link is in the way of one of them.
        """
        for path in (source, final):
            inside(self._ws.root, self._ws.relative(path), self._job, replaced=True)
        self._moves[self._ws.relative(source)] = self._ws.relative(final)

    def discard(self) -> None:
        """Remove the staging folder of a job that has nothing to commit."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def commit(self) -> None:
        """Move all results into place, or none."""
        journal = self._ws.commits / f"{self._job}.json"
        with atomic.writing(self.folder):
            for staged in self._moves:
                sync(self._ws.root / staged)
        moves = json.dumps(self._moves)
        document = seals.sealed_document(self._ws, _purpose(self._job), "moves", moves)
        refuse_links(self._ws.home, journal)
        atomic.write_text(journal, document)
        recover(self._ws)


def recover(ws: Workspace) -> None:
    """Complete every commit that was interrupted.

    Raises:
        DataError: a journal was not written by this checkout; nothing is moved.
    """
    if not ws.commits.is_dir() or not any(ws.commits.glob("*.json")):
        return
    with atomic.writing(ws.commits), _locked(ws, "commit", fcntl.LOCK_EX):
        for journal in sorted(ws.commits.glob("*.json")):
            _finish(ws, journal)


@contextmanager
def exclusive_job(ws: Workspace, job: str) -> Iterator[None]:
    """Lock ``job`` so that only this process of the checkout runs it.

    The operating system releases the lock of a dead process; its lock file may remain.

    Raises:
        DataError: another process runs the job, or the lock file cannot be written.
    """
    record = f"process {os.getpid()} on {socket.gethostname()}"

    def refusal() -> str:
        return f"{job} is running in {_holder(ws, job)}; wait for it to end"

    with held(ws, job, fcntl.LOCK_EX, (job, record), refusal):
        yield


@contextmanager
def held(
    ws: Workspace, name: str, operation: int, by: tuple[str, str], refusal: Callable[[], str]
) -> Iterator[None]:
    """Hold a lock file, without waiting, and write into it who holds it.

    Args:
        ws: the checkout.
        name: the name of the lock.
        operation: LOCK_EX or LOCK_SH of ``fcntl``.
        by: the job that needs the lock, for messages; and the text to write.
        refusal: returns the message of the error if another process holds the lock.

    Raises:
        DataError: another process holds the lock, or the file cannot be written.
    """
    job, record = by
    with ExitStack() as stack:
        try:
            handle = stack.enter_context(_locked(ws, name, operation | fcntl.LOCK_NB))
            handle.truncate(0)
            handle.write(record.encode())
        except BlockingIOError as error:
            raise DataError(refusal()) from error
        except OSError as error:
            message = cannot_write(error) or (
                f"{error.filename} cannot be written ({error.strerror}); nothing was changed"
            )
            raise DataError(f"{job}: {message}") from error
        yield


def is_running(ws: Workspace, job: str) -> bool:
    """Return True if a process of this checkout runs ``job``.

    The lock is tried only if the process that had it last still exists, so that a job that
    starts is never refused because of this question.
    """
    lock = ws.lock_file(job)
    try:
        _, number, _, host = lock.read_text(encoding="utf-8").split(" ")
        check_process(number, host)
        with lock.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except (OSError, ValueError):
        return False
    return False


def check_process(number: str, host: str) -> None:
    """Check that a process exists, as far as this machine knows.

    Raises:
        ProcessLookupError: it is one of this machine, and has ended.
        PermissionError: it is one of another user.
        ValueError: ``number`` is none.
    """
    if host in ("", socket.gethostname()):
        os.kill(int(number), 0)


@contextmanager
def turn(ws: Workspace, job: str) -> Iterator[None]:
    """Wait until no other process of the checkout holds the lock ``job``, and hold it.

    Raises:
        DataError: the lock file cannot be written.
    """
    with ExitStack() as stack:
        with atomic.writing(ws.lock_file(job)):
            stack.enter_context(_locked(ws, job, fcntl.LOCK_EX))
        yield


@contextmanager
def commits_paused(ws: Workspace) -> Iterator[None]:
    """Block commits of this checkout, so that its files can be read consistently.

    Raises:
        OSError: the checkout is read-only, so that it cannot be locked.
    """
    with _locked(ws, "commit", fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(ws: Workspace, name: str, operation: int) -> Iterator[RawIOBase]:
    lock = ws.lock_file(name)
    refuse_links(ws.home, lock)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab", buffering=0) as handle:
        fcntl.flock(handle, operation)
        yield handle


def _holder(ws: Workspace, job: str) -> str:
    """Return the process that holds the lock of ``job``, as recorded in the lock file."""
    return ws.lock_file(job).read_text(encoding="utf-8") or "another process"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _finish(ws: Workspace, journal: Path) -> None:
    moves = _read(ws, journal)
    trash, folders = ws.trash(journal.stem), set[Path]()
    refuse_links(ws.home, trash)
    for number, (source, target) in enumerate(moves.items()):
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
    # The journal goes last: a process that is killed here leaves nothing that no one removes.
    shutil.rmtree(trash, ignore_errors=True)
    shutil.rmtree(ws.staging(journal.stem), ignore_errors=True)
    journal.unlink()


def _unused(path: Path) -> Path:
    number = 0
    while path.with_name(f"{path.name}.{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.{number}")


def _read(ws: Workspace, journal: Path) -> dict[Path, Path]:
    """Return the moves of a journal of this checkout, source -> target.

    Raises:
        DataError: another wrote it, or a path leaves the staging folder or the catalogue.
    """
    name = ws.relative(journal)
    try:
        data = journal.read_bytes()
    except OSError:
        data = b""
    text = seals.open_document(ws, journal, data, _purpose(journal.stem), "moves")
    moves = {}
    for staged, final in json.loads(text).items():
        moved = journal.stem.startswith(_MOVING)
        source = inside(ws.root, staged, name, replaced=moved)
        if not moved and not source.is_relative_to(ws.staging(journal.stem)):
            raise DataError(f"{name}: {staged!r} is not in the staging folder of its job")
        moves[source] = inside(ws.root, final, name, replaced=True)
    return moves


def _purpose(job: str) -> str:
    return f"staging/{job}"
