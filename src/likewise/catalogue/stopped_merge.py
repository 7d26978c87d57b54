"""Undo a merge whose process was killed."""

import hashlib
from pathlib import Path

from likewise.errors import DataError, VersionError, bounded
from likewise.storage import under_way, versions
from likewise.storage.workspace import Workspace

JOB = "merge"


def undo(ws: Workspace) -> None:
    """Restore the files of a merge that was killed before its commit.

    Raises:
        DataError: files that the merge does not change have uncommitted changes.
    """
    facts = under_way.facts(ws, JOB)
    if facts is None:
        return
    under_way.remove_locks_of_git(ws, JOB)
    if versions.resolve(ws.root, "HEAD") == facts["head"]:
        _restore(ws, facts["other"])
    under_way.end(ws, JOB)


def _restore(ws: Workspace, other: str) -> None:
    top = Path(versions.run_git(ws.root, "rev-parse", "--show-toplevel").rstrip("\n"))
    prefix = versions.run_git(ws.root, "rev-parse", "--show-prefix").rstrip("\n")
    merged = {*_paths(ws, "HEAD", other)}
    merged |= {prefix + ws.relative(ws.corrections(dataset)) for dataset in ws.params.datasets}
    own = sorted({*_paths(ws, "HEAD")} - merged)
    if own:
        raise DataError(
            f"a merge was stopped, and files that it does not change have uncommitted changes: "
            f"{bounded(own, len(own))}; run: git commit, or git stash, with these files"
        )
    added = _paths(ws, "--diff-filter=A", "HEAD", other)
    if _is_merging(ws):
        under_way.run_git(ws, JOB, "reset", "--quiet", "--hard", "HEAD")
    elif _paths(ws, "HEAD"):
        # git was killed before it recorded the merge, or somebody has ended it since.
        message = "likewise: the files of a stopped merge"
        under_way.run_git(ws, JOB, "stash", "push", "--quiet", "--message", message)
    for path in added:
        file = top / path
        if file.is_file() and _blob(file.read_bytes()) == _blob_of(ws, other, path):
            file.unlink()


def _is_merging(ws: Workspace) -> bool:
    try:
        versions.run_git(ws.root, "rev-parse", "--verify", "--quiet", "MERGE_HEAD")
    except VersionError:
        return False
    return True


def _paths(ws: Workspace, *words: str) -> list[str]:
    """Return the paths of changed files, relative to the top folder of the repository."""
    options = ("--name-only", "--no-relative", "-z")
    output = versions.run_git(ws.root, "diff", *options, *words)
    return [path for path in output.split("\0") if path]


def _blob(data: bytes) -> str:
    """Return git's name of a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _blob_of(ws: Workspace, commit: str, path: str) -> str:
    try:
        return versions.run_git(ws.root, "rev-parse", f"{commit}:{path}").strip()
    except VersionError:
        return ""
