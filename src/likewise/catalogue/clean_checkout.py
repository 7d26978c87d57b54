"""A check that git has every change of a checkout."""

from likewise.errors import DataError, bounded
from likewise.storage import versions
from likewise.storage.workspace import Workspace


def need_clean(ws: Workspace) -> None:
    """Refuse a checkout with changes that git does not have.

    Raises:
        DataError: the changed files.
    """
    changed = versions.run_git(ws.root, "status", "--porcelain", "--untracked-files=no")
    named = [line[3:] for line in changed.splitlines()]
    if named:
        raise DataError(
            f"uncommitted changes: {bounded(named, len(named))}; run: git commit, or git stash"
        )
