"""Tables that stay as they were when they were opened, whatever becomes of the checkout."""

import shutil
from contextlib import suppress
from pathlib import Path

from likewise.errors import LikewiseError, MissingArtefactError, VersionError
from likewise.storage import journal, tables, versions
from likewise.storage.workspace import Workspace


def steady(ws: Workspace, table: Path) -> Path:
    """Links to ``table``'s present files, in a folder named after the version that they are.

    Where it is not there, or not whole because ``dvc checkout`` is putting it there or was
    stopped at that, the version that dvc.lock names; the table itself where the checkout
    cannot be written.

    Raises:
        MissingArtefactError: it is not whole, and the cache does not hold that version.
    """
    return _as_it_is(ws, table) or _recorded(ws, table)


def steady_pair(ws: Workspace, published: Path, images: Path) -> dict[Path, Path]:
    """Both tables of one version, those of them that are there, each as ``steady`` has it.

    A checkout goes table by table. Where it is at one of them, both are what dvc.lock names;
    and so are the images where the published table is already.
    """
    there = [path for path in (published, images) if path.is_dir()]
    found = {path: _as_it_is(ws, path) for path in there}
    now = {path: linked for path, linked in found.items() if linked}
    if len(now) < len(there):
        return {path: _recorded(ws, path) for path in there}
    lock = versions.recorded_view(ws, published) if len(there) == 2 else None
    if lock and tables.manifest_hash(lock) == now[published].parent.name:
        of_lock = versions.recorded_view(ws, images)
        if of_lock and not of_lock.parent.name.endswith(versions.PARTIAL_SUFFIX):
            now[images] = of_lock
    return now


def _as_it_is(ws: Workspace, table: Path) -> Path | None:
    """The files that are there now; None where they are no whole table."""
    if not tables.exists(table):
        return None
    with suppress(OSError, VersionError), journal.commits_paused(ws):
        return _linked(ws, table)
    return table if whole(table) else None  # the checkout cannot be written


def _recorded(ws: Workspace, table: Path) -> Path:
    known = versions.recorded_view(ws, table)
    if known is None and tables.exists(table):
        what = f"{ws.relative(table)} lacks files: a checkout is going on, or was stopped"
        raise MissingArtefactError(what, f"dvc checkout --force {ws.relative(table)}")
    return known or table


def whole(table: Path) -> bool:
    """Whether every file that the present version of a table names is there.

    Not so in the midst of a ``dvc checkout``, which takes away and brings file by file: Lance
    notices that something is missing only once it reads it.
    """
    try:
        return tables.open_table(table).is_complete()
    except (LikewiseError, OSError, ValueError):
        return False


def _linked(ws: Workspace, table: Path) -> Path | None:
    """A view of the table as it is; None where it is not whole."""
    version = tables.manifest_hash(table)
    linked = ws.views / version / table.name
    if not versions.lock_view(linked):
        versions.link_view(linked, {linked / f.relative_to(table): f for f in _files(table)})
        # dvc knows nothing of our locks: its checkout may be going on.
        if tables.manifest_hash(linked) != version or not whole(linked):
            shutil.rmtree(linked)
            return None
        versions.lock_view(linked)
    return linked


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
