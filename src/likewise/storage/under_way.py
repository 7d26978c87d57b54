"""Records of work on git that is under way, so that the next call can undo or complete it.

A killed process leaves its record. A record is used only if this checkout sealed it.
"""

import fcntl
import json
import os
import shlex
import socket
import time
from contextlib import suppress
from pathlib import Path

from likewise.errors import DataError, VersionError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals, versions
from likewise.storage.workspace import Workspace

_PATIENCE_SECONDS = 2


def begin(ws: Workspace, job: str, **facts: str) -> None:
    """Record that ``job`` begins, with the facts that undo or complete it.

    Raises:
        DataError: the record cannot be written.
    """
    path = ws.lock_file(f"{job}.under-way")
    refuse_links(ws.home, path)
    text = json.dumps(facts)
    atomic.write_text(path, seals.sealed_document(ws, _purpose(job), "facts", text))


def facts(ws: Workspace, job: str) -> dict[str, str] | None:
    """Return the facts of a ``job`` that was killed; None if none was.

    Raises:
        DataError: another checkout wrote the record.
    """
    path = ws.lock_file(f"{job}.under-way")
    refuse_links(ws.home, path)
    if not path.is_file():
        return None
    text = seals.open_document(ws, path, path.read_bytes(), _purpose(job), "facts")
    recorded: dict[str, str] = json.loads(text)
    return recorded


def run_git(ws: Workspace, job: str, *words: str) -> str:
    """Run a git command of ``job`` that takes locks.

    A record exists while it runs. Git holds a lock on it, also after this process was killed.

    Raises:
        VersionError: the command failed, or git is not installed.
        DataError: the record cannot be written.
    """
    path = ws.lock_file(f"{job}.git")
    refuse_links(ws.home, path)
    text = json.dumps({"host": socket.gethostname()})
    atomic.write_text(path, seals.sealed_document(ws, _purpose(job), "git", text))

    def beat() -> None:
        with suppress(FileNotFoundError):
            os.utime(path)

    with path.open("rb") as record:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(record, fcntl.LOCK_EX)
        watch = versions.Watch(record.fileno(), beat)
        try:
            output = versions.run_git(ws.root, *words, watch=watch)
        except VersionError:
            path.unlink(missing_ok=True)
            raise
    path.unlink(missing_ok=True)  # a later lock is not of this command
    return output


def remove_locks_of_git(ws: Workspace, job: str) -> None:
    """Remove the locks and temporary files of a git command that was killed with ``job``.

    A living git has ``_PATIENCE_SECONDS`` to remove its own lock. A lock is removed if git made
    it while ``job`` observed its git command, and all processes of that command have ended.

    Raises:
        DataError: another process may hold a lock, such as a ``git commit``.
    """
    folder = seals.git_folder(ws.home)
    record = ws.lock_file(f"{job}.under-way")
    if folder is None or not record.is_file():
        return
    begun = record.stat().st_mtime
    locks = [*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")]
    top = Path(versions.run_git(ws.root, "rev-parse", "--show-toplevel").rstrip("\n"))
    candidates = [*locks, *top.glob(".merge_file_*")]
    left = [path for path in candidates if _modified(path) >= begun]
    end_of_patience = time.monotonic() + _PATIENCE_SECONDS
    while any(path.exists() for path in left) and time.monotonic() < end_of_patience:
        time.sleep(0.1)
    last = _last_moment(ws, job)
    for path in left:
        if _modified(path) <= last:
            path.unlink(missing_ok=True)
        elif path in locks and path.exists():
            raise DataError(
                f"another git process may hold {path}, such as a git commit whose editor is "
                f"open; end it; if there is none, run: {shlex.join(['rm', str(path)])}"
            )


def _last_moment(ws: Workspace, job: str) -> float:
    """Return the last moment of the git command of ``job``; 0 if it may still run."""
    path = ws.lock_file(f"{job}.git")
    refuse_links(ws.home, path)
    if not path.is_file():
        return 0
    git = json.loads(seals.open_document(ws, path, path.read_bytes(), _purpose(job), "git"))
    if git["host"] != socket.gethostname() or _is_held(path):
        return 0
    return path.stat().st_mtime + 2 * versions.BEAT_SECONDS


def _is_held(path: Path) -> bool:
    """Return True if a process may hold the lock of a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _modified(path: Path) -> float:
    """Return the time of the last change of a file; 0 if there is none."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0


def end(ws: Workspace, job: str) -> None:
    """Remove the record of ``job``, which is complete or undone."""
    for suffix in ("under-way", "git"):
        path = ws.lock_file(f"{job}.{suffix}")
        path.unlink(missing_ok=True)
        atomic.remove_left_parts(path)


def _purpose(job: str) -> str:
    return f"under way/{job}"
