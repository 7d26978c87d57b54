"""Snapshots of tables that later changes of the checkout do not affect."""

import hashlib
from contextlib import suppress
from pathlib import Path

from likewise.errors import LikewiseError, MissingArtefactError, VersionError
from likewise.formats.paths import refuse_links
from likewise.storage import journal, tables, versions
from likewise.storage.workspace import Workspace


def snapshot(ws: Workspace, table: Path) -> Path:
    """Link the present files of ``table`` into a folder named after its version.

    If the table is missing or incomplete, as during or after a stopped ``dvc checkout``, the
    version in dvc.lock is used. If the checkout cannot be written, the table itself is.

    Returns:
        The folder of the snapshot, or of the table.

    Raises:
        MissingArtefactError: the table is incomplete, and the version in dvc.lock is not in
            the cache.
    """
    return _snapshot_checkout(ws, table) or _locked_version(ws, table)


def snapshot_pair(ws: Workspace, published: Path, images: Path) -> dict[Path, Path]:
    """Return snapshots of the published table and its images that belong together.

    ``dvc checkout`` replaces one table after the other. If one of them is incomplete, both
    snapshots are those of dvc.lock. If the published table is that of dvc.lock, so are the
    images.

    Returns:
        Path of a table -> folder of its snapshot; tables that do not exist are left out.
    """
    existing = [path for path in (published, images) if path.is_dir()]
    present = {path: _snapshot_checkout(ws, path) for path in existing}
    snapshots = {path: linked for path, linked in present.items() if linked}
    if len(snapshots) < len(existing):
        return {path: _locked_version(ws, path) for path in existing}
    locked = versions.recorded_view(ws, published) if len(existing) == 2 else None
    if locked and _is_version(snapshots[published], locked):
        locked_images = versions.recorded_view(ws, images)
        if locked_images and not locked_images.parent.name.endswith(versions.PARTIAL_SUFFIX):
            snapshots[images] = locked_images
    return snapshots


def _is_version(snapshot: Path, locked: Path) -> bool:
    """Return True if a snapshot has the manifest of the table ``locked``."""
    return snapshot.parent.name.startswith(f"{tables.manifest_hash(locked)}-")


def _snapshot_checkout(ws: Workspace, table: Path) -> Path | None:
    """Return a snapshot of the files in the checkout; None if the table is incomplete."""
    if not tables.exists(table):
        return None
    with suppress(OSError, VersionError), journal.commits_paused(ws):
        return _link_snapshot(ws, table)
    return table if is_complete_table(table) else None  # the checkout cannot be written


def _locked_version(ws: Workspace, table: Path) -> Path:
    """Return a view of the version that dvc.lock names, or the table if no version is named."""
    view = versions.recorded_view(ws, table)
    if view is None and tables.exists(table):
        what = f"{ws.relative(table)} lacks files: a checkout is running, or was stopped"
        raise MissingArtefactError(what, f"dvc checkout --force {ws.relative(table)}")
    return view or table


def is_complete_table(table: Path) -> bool:
    """Return True if every file of the present version of a table exists.

    Files are missing during a ``dvc checkout``, which replaces them one by one; Lance notices
    a missing file only when it reads it.
    """
    try:
        return tables.open_table(table).is_complete()
    except (LikewiseError, OSError, ValueError):
        return False


def _link_snapshot(ws: Workspace, table: Path) -> Path | None:
    """Link the files of the table into a snapshot; None if the table is incomplete."""
    version = tables.manifest_hash(table)
    name = f"{version}-{_files_hash(table)}"
    linked = versions.own_folder(ws, ws.views, name) / table.name
    refuse_links(ws.cache_root, linked.parent)
    if versions.lock_view(linked):
        return linked

    def is_whole(made: Path) -> bool:
        # DVC does not use our locks, so a checkout may have changed the table meanwhile.
        return tables.manifest_hash(made) == version and is_complete_table(made)

    files = {linked / f.relative_to(table): f for f in _files(table)}
    if not versions.link_view(linked, files, valid=is_whole):
        return None
    versions.lock_view(linked)
    return linked


def _files_hash(table: Path) -> str:
    """Return a hash of the present files of a table.

    After a damaged file was restored, it differs although the manifest is the same. A snapshot
    that links the damaged file is then used no more.
    """
    stats = [(path, path.stat()) for path in sorted(_files(table))]
    facts = [f"{path.name} {s.st_ino} {s.st_size} {s.st_mtime_ns}" for path, s in stats]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
