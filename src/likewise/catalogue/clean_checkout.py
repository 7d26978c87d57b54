"""Check that a checkout has no uncommitted changes."""

import shlex

from likewise.errors import DataError, bounded
from likewise.storage import under_way, versions
from likewise.storage.workspace import Workspace


def need_clean(ws: Workspace) -> None:
    """Refuse a checkout with uncommitted changes of tracked files.

    Raises:
        DataError: there are uncommitted changes; the files are paths.
    """
    changed = versions.run_git(ws.root, "status", "--porcelain", "--untracked-files=no")
    paths = [line[3:] for line in changed.splitlines()]
    if paths and (merge := under_way.facts(ws, "merge")):
        branch = shlex.quote(merge["branch"])
        raise DataError(f"a merge was stopped; complete it: likewise merge {branch}")
    if paths:
        raise DataError(
            f"uncommitted changes: {bounded(paths, len(paths))}; run: git commit, or git stash"
        )
