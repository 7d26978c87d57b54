"""Records of work on git that is under way, so that the next call can undo or complete it.

A killed process leaves its record. A record is used only if this checkout sealed it.
"""

import json
import time
from pathlib import Path

from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals
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


def remove_locks_of_git(ws: Workspace, job: str) -> None:
    """Remove the locks and temporary files of a git command that was killed with ``job``.

    Only files that are newer than the record are removed, after ``_PATIENCE_SECONDS`` in which
    a living git would remove them.
    """
    folder = seals.git_folder(ws.home)
    record = ws.lock_file(f"{job}.under-way")
    if folder is None or not record.is_file():
        return
    begun = record.stat().st_mtime
    candidates = [*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")]
    candidates += ws.home.glob(".merge_file_*")
    left = [path for path in candidates if _is_newer(path, begun)]
    end_of_patience = time.monotonic() + _PATIENCE_SECONDS
    while any(path.exists() for path in left) and time.monotonic() < end_of_patience:
        time.sleep(0.1)
    for path in left:
        path.unlink(missing_ok=True)


def _is_newer(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime >= moment
    except FileNotFoundError:
        return False


def end(ws: Workspace, job: str) -> None:
    """Remove the record of ``job``, which is complete or undone."""
    ws.lock_file(f"{job}.under-way").unlink(missing_ok=True)


def _purpose(job: str) -> str:
    return f"under way/{job}"
