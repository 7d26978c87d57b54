"""Check that a checkout has no uncommitted changes."""

from likewise.errors import DataError, bounded
from likewise.storage import versions
from likewise.storage.workspace import Workspace


def need_clean(ws: Workspace) -> None:
    """Refuse a checkout with uncommitted changes of tracked files.

    Raises:
        DataError: there are uncommitted changes; the files are paths.
    """
    changed = versions.run_git(ws.root, "status", "--porcelain", "--untracked-files=no")
    paths = [line[3:] for line in changed.splitlines()]
    if paths:
        raise DataError(
            f"uncommitted changes: {bounded(paths, len(paths))}; run: git commit, or git stash"
        )
