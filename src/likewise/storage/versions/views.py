"""Views: folders of links to the files of one version, which stay fixed while open."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from likewise.errors import VersionError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.versions.commands import run_git
from likewise.storage.versions.dvc_cache import NowhereError, Store, Transferred
from likewise.storage.versions.lock_file import Output, outputs
from likewise.storage.versions.view_links import link, link_again, link_view, own_folder
from likewise.storage.workspace import Workspace

UNUSED_SECONDS = 24 * 3600
"""Age since the last opening after which a view that no process reads is removed."""

PARTIAL_SUFFIX = ".part"
"""Suffix of the folder of a view that lacks some files."""

_locked: dict[Path, int] = {}
"""Folder of each view that this process reads -> the descriptor that holds its lock."""


def locate(ws: Workspace, output: Path) -> Path:
    """Return ``output`` if it exists in the workspace, else a view of its recorded version.

    DVC removes the outputs of a stage before it runs, and a killed run leaves them removed.
    The version in dvc.lock is then the current one; files that a pull skipped are fetched.
    If there is neither, return ``output`` itself.

    Raises:
        VersionError: its files must be fetched, and this failed.
    """
    if output.exists():
        return output
    return recorded_view(ws, output, fetch=True) or output


def locate_earlier(ws: Workspace, output: Path) -> Path:
    """Return the last version of ``output`` like ``locate``, for a job that does not need it.

    Return ``output`` itself if the cache and the remote have lost that version.

    Raises:
        VersionError: its files must be fetched, and the remote cannot be read.
    """
    try:
        return locate(ws, output)
    except NowhereError:
        return output


def recorded_view(ws: Workspace, output: Path, *, fetch: bool = False) -> Path | None:
    """Return a view of the version of ``output`` in dvc.lock: a folder of links.

    In a workspace of another revision (see ``workspace_at``), or with ``fetch``, files that the
    cache lacks are fetched from the remote. Packed pixels are not: a view may lack them until
    ``fetch_into_view`` adds them.

    Return None if dvc.lock does not have the output, or the cache does not hold it.

    Raises:
        VersionError: files must be fetched and this failed, or no view can be made here.
    """
    known = outputs(ws.root).get(ws.relative(output))
    if known is None:
        return None
    linked = own_folder(ws, ws.views, known.md5) / output.name
    store = Store(ws.home)
    if lock_view(linked):
        _refresh(store, linked, known)
        return linked
    files = _file_list(ws, store, known)
    if files is None:
        return None
    if ws.is_historic:
        _fetch_version(ws, store, known, (m for path, m in files.items() if not _is_pack(path)))
    view = _cached_view(ws, store, known, files) or _partial_view(ws, store, known, files)
    if view is None and fetch and store.remotes():
        _fetch_without_packs(store, known, files)
        view = _cached_view(ws, store, known, files)
    return view


def _refresh(store: Store, linked: Path, known: Output) -> None:
    with suppress(VersionError):  # the list of files is damaged
        link_again(store, linked, store.members(known) or {})


def _fetch_without_packs(store: Store, known: Output, files: Mapping[str, str]) -> None:
    """Fetch the ``files`` of an output that the cache lacks, except packed pixels."""
    store.fetch((md5 for path, md5 in files.items() if not _is_pack(path)), known.path)


def _fetch_version(ws: Workspace, store: Store, known: Output, md5s: Iterable[str]) -> None:
    try:  # an error names the version, and where its files may be
        store.fetch(md5s, known.path)
    except VersionError as error:
        commit = ws.root.name.partition("-")[0]
        tag = run_git(ws.home, "tag", "--points-at", commit).partition("\n")[0]
        url = "" if store.remotes() else ", with the URL that they were pushed to"
        what = f"the data of {known.path} at {tag} ({commit[:10]}) are not in DVC's cache"
        gone = f"{what} (dvc gc removes them), and cannot be fetched: {error}{url}"
        raise VersionError(gone) from error


def _cached_view(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str]
) -> Path | None:
    """Return a view of the ``files`` in the cache; None if others than packs are missing."""
    required = {md5 for path, md5 in files.items() if not _is_pack(path)}
    absent = set(store.lacking(files.values()))
    if absent & required:
        return None
    cached = {path: md5 for path, md5 in files.items() if md5 not in absent}
    return _link_files(ws, store, known, cached, complete=not absent)


def _partial_view(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str]
) -> Path | None:
    """Return a view of the files that ``pull_files`` fetched; None if some are missing."""
    pulled = {path: files[path] for path in _pulled_paths(ws, known.md5) if path in files}
    if not pulled or store.lacking(pulled.values()):
        return None
    return _link_files(ws, store, known, pulled, complete=False)


def _link_files(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str], *, complete: bool
) -> Path:
    linked = _folder(ws, known.md5, complete=complete) / Path(known.path).name
    sources = {
        linked / path if path else linked: store.path(md5) for path, md5 in files.items()
    }
    refuse_links(ws.cache_root, linked.parent)
    if linked.exists():
        for target, source in sources.items():
            refuse_links(linked.parent, target.parent)
            link(source, target, copy=False)
    else:
        link_view(linked, sources, copy=False)
    lock_view(linked)
    return linked


def _folder(ws: Workspace, md5: str, *, complete: bool) -> Path:
    folder = own_folder(ws, ws.views, md5)
    return folder if complete else folder.with_name(f"{folder.name}{PARTIAL_SUFFIX}")


def pull_files(
    ws: Workspace, output: Path, selects: Callable[[str], bool], remote: str | None = None
) -> tuple[Path, Transferred]:
    """Fetch the files of ``output`` whose relative paths ``selects`` accepts.

    Return a view of them and of those that were fetched before; ``locate`` finds it again.

    Raises:
        VersionError: dvc.lock has no such output, there is no remote, or it lacks some files.
        DataError: the list of pulled files cannot be written.
    """
    known = outputs(ws.root).get(ws.relative(output))
    if known is None:
        raise VersionError(f"dvc.lock does not list {ws.relative(output)}; run: git pull")
    store = Store(ws.home, remote)
    lists = store.fetch([known.md5], known.path)
    files = store.members(known) or {}
    paths = {*_pulled_paths(ws, known.md5), *filter(selects, files)} & files.keys()
    moved = store.fetch((files[path] for path in paths), known.path)
    refuse_links(ws.cache_root, ws.pulled_files(known.md5))
    seals.write_names(ws, ws.pulled_files(known.md5), _pulled(known.md5), sorted(paths))
    pulled = {path: files[path] for path in paths}
    linked = _link_files(ws, store, known, pulled, complete=False)
    return linked, Transferred(lists.files + moved.files, lists.nbytes + moved.nbytes)


def _pulled_paths(ws: Workspace, md5: str) -> list[str]:
    """Return the paths of the files of an output that ``pull_files`` fetched.

    A list that this checkout did not seal is not used.
    """
    return seals.read_names(ws, ws.pulled_files(md5), _pulled(md5))


def _pulled(md5: str) -> str:
    """Return the purpose of the seal of a list of pulled files."""
    return f"parts/{md5}"


def recorded_files(ws: Workspace, output: Path) -> dict[str, str]:
    """Return the files of ``output`` in dvc.lock, relative path -> md5; empty if unknown."""
    known = outputs(ws.root).get(ws.relative(output))
    return (known and _file_list(ws, Store(ws.home), known)) or {}


def fetch_into_view(
    ws: Workspace, output: Path, paths: Iterable[str], remote: str | None = None
) -> Transferred:
    """Add the files ``paths`` of ``output`` to its view, from the cache or the remote.

    Raises:
        VersionError: there is no remote, or the remote does not have the files.
    """
    files, store = recorded_files(ws, output), Store(ws.home, remote)
    added = {path: files[path] for path in paths if path in files}
    moved = store.fetch(added.values(), ws.relative(output))
    known = outputs(ws.root).get(ws.relative(output))
    partial = known and _folder(ws, known.md5, complete=False) / output.name
    if partial and lock_view(partial):  # readers of the partial view find them there
        for path, md5 in added.items():
            refuse_links(partial.parent, (partial / path).parent)
            link(store.path(md5), partial / path, copy=False)
    return moved


def lock_view(linked: Path) -> bool:
    """Protect a view from removal while this process lives; return whether it exists."""
    folder = linked.parent
    if not linked.exists():
        return False
    if folder not in _locked:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_SH)
            _locked[folder] = handle
    with suppress(OSError):
        os.utime(folder, ns=(time.time_ns(), folder.stat().st_mtime_ns))
    if linked.exists():
        return True
    with suppress(KeyError, OSError):  # it was removed before this process locked it
        os.close(_locked.pop(folder))
    return False


def remove_unused_views(ws: Workspace, unused: float = UNUSED_SECONDS) -> list[Path]:
    """Remove views that no process reads and none has opened for ``unused`` seconds.

    Extracted files of other revisions are removed in the same way.
    """
    removed = []
    for folder in sorted((*ws.views.glob("*"), *ws.revisions.glob("[!.]*"))):
        with suppress(OSError):
            opened = max(folder.stat().st_atime, folder.stat().st_mtime)
            if time.time() - opened >= unused and _remove_unlocked(folder):
                removed.append(folder)
    return removed


def _file_list(ws: Workspace, store: Store, known: Output) -> dict[str, str] | None:
    files = store.members(known)
    if files is None and ws.is_historic:
        _fetch_version(ws, store, known, [known.md5])
        files = store.members(known)
    return files


def _is_pack(path: str) -> bool:
    """Return whether a file of a table holds only packed pixels (see ``tables``)."""
    return path.endswith(".blob")


def _remove_unlocked(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        trash = atomic.beside(folder)
        folder.rename(trash)  # a process that opens it now creates a new one
        shutil.rmtree(trash, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
