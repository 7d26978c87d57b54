"""Views: trees of links to the files of one version, which nothing changes under a reader."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from likewise.errors import DataError, VersionError, cannot_write
from likewise.formats import atomic
from likewise.storage.versions.dvc_cache import Store, Transferred
from likewise.storage.versions.lock_file import Output, outputs
from likewise.storage.workspace import Workspace

UNUSED_SECONDS = 24 * 3600
"""A view that no process holds is removed when it was not opened for so long."""

PART = ".part"
"""How the name of a view's folder ends that lacks packs of pixels."""

_held: dict[Path, int] = {}
"""Views that this process reads, and the open folder that carries its lock on each."""


def present(ws: Workspace, output: Path) -> Path:
    """``output`` where it is in the workspace, else its last recorded version's view.

    A stage finds its outputs removed when DVC runs it, and a killed run leaves them so; the
    version that dvc.lock names is then the one that stands, and what a pull left out of it is
    fetched now. Returns ``output`` itself where there is neither.

    Raises:
        VersionError: it has to be fetched and cannot be.
    """
    if output.exists():
        return output
    return view(ws, output, fetch=True) or output


def view(ws: Workspace, output: Path, *, fetch: bool = False) -> Path | None:
    """The version of a stage's ``output`` that dvc.lock names, as a tree of links.

    Of an earlier version (see ``versions.at``) what the cache lacks is fetched from the
    remote, but for packed pixels: a view may lack those until ``complete`` brings them. With
    ``fetch``, so too of an output of which a pull brought no more than the list of its files.

    None where dvc.lock does not know the output, or the cache does not hold it.

    Raises:
        VersionError: it has to be fetched and cannot be, or no view can be made here.
    """
    known = outputs(ws.root).get(ws.relative(output))
    if known is None:
        return None
    linked = ws.views / known.md5 / output.name
    if hold(linked):
        return linked
    store = Store(ws.home)
    files = _listed(ws, store, known)
    if files is None:
        return None
    if ws.earlier:
        _fetch_light(store, known, files)
    found = _of_cache(ws, store, known, files) or _of_parts(ws, store, known, files)
    if found is None and fetch and store.remotes():
        _fetch_light(store, known, files)
        found = _of_cache(ws, store, known, files)
    return found


def _fetch_light(store: Store, known: Output, files: Mapping[str, str]) -> None:
    """Bring what the cache lacks of an output's ``files``, but for packed pixels."""
    store.fetch((md5 for path, md5 in files.items() if not _is_pack(path)), known.path)


def _of_cache(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str]
) -> Path | None:
    """The view of an output made of the ``files`` in the cache, if all but packs are there."""
    light = {md5 for path, md5 in files.items() if not _is_pack(path)}
    absent = set(store.lacking(files.values()))
    if absent & light:
        return None
    here = {path: md5 for path, md5 in files.items() if md5 not in absent}
    return _linked(ws, store, known, here, whole=not absent)


def _of_parts(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str]
) -> Path | None:
    """The view of those files of an output that ``pull_part`` brought, if all are here."""
    here = {path: files[path] for path in _parts(ws, known.md5) if path in files}
    if not here or store.lacking(here.values()):
        return None
    return _linked(ws, store, known, here, whole=False)


def _linked(
    ws: Workspace, store: Store, known: Output, files: Mapping[str, str], *, whole: bool
) -> Path:
    name = known.md5 if whole else f"{known.md5}{PART}"
    linked = ws.views / name / Path(known.path).name
    here = {linked / path if path else linked: store.path(md5) for path, md5 in files.items()}
    if linked.exists():
        for target, source in here.items():
            _link(source, target, copy=False)
    else:
        link_view(linked, here, copy=False)
    hold(linked)
    return linked


def pull_part(
    ws: Workspace, output: Path, wanted: Callable[[str], bool], remote: str | None = None
) -> tuple[Path, Transferred]:
    """Bring the files of ``output`` whose paths below it are ``wanted``; a view of them.

    The view has what was brought before too, and ``present`` finds it again.

    Raises:
        VersionError: dvc.lock knows no such output, there is no remote, or it lacks some.
    """
    known = outputs(ws.root).get(ws.relative(output))
    if known is None:
        raise VersionError(f"dvc.lock knows no {ws.relative(output)}; run: git pull")
    store = Store(ws.home, remote)
    lists = store.fetch([known.md5], known.path)
    files = store.members(known) or {}
    named = {*_parts(ws, known.md5), *filter(wanted, files)} & files.keys()
    moved = store.fetch((files[path] for path in named), known.path)
    record = ws.part(known.md5)
    atomic.write_text(record, json.dumps(sorted(named)))
    linked = _linked(ws, store, known, {path: files[path] for path in named}, whole=False)
    return linked, Transferred(lists.files + moved.files, lists.nbytes + moved.nbytes)


def _parts(ws: Workspace, md5: str) -> list[str]:
    """The paths of an output's files that were brought without the others."""
    record = ws.part(md5)
    return json.loads(record.read_text(encoding="utf-8")) if record.is_file() else []


def files_of(ws: Workspace, output: Path) -> dict[str, str]:
    """The files of ``output`` by dvc.lock: path below it -> md5; none where it knows none."""
    known = outputs(ws.root).get(ws.relative(output))
    return (known and _listed(ws, Store(ws.home), known)) or {}


def complete(
    ws: Workspace, output: Path, paths: Iterable[str], remote: str | None = None
) -> Transferred:
    """Bring the files ``paths`` of ``output`` into its view: from the cache, or the remote.

    Raises:
        VersionError: there is no remote, or it does not have them.
    """
    files, store = files_of(ws, output), Store(ws.home, remote)
    wanted = {path: files[path] for path in paths if path in files}
    moved = store.fetch(wanted.values(), ws.relative(output))
    known = outputs(ws.root).get(ws.relative(output))
    part = known and ws.views / f"{known.md5}{PART}" / output.name
    if part and hold(part):  # whoever reads the view that lacks them finds them there
        for path, md5 in wanted.items():
            _link(store.path(md5), part / path, copy=False)
    return moved


def link_view(linked: Path, files: dict[Path, Path], *, copy: bool = True) -> None:
    """Make the tree ``linked`` of links, whole or not at all: its files, and what each is.

    Where no hard link can be (another file system, another's file) the file is copied, or
    without ``copy``, for files that never change, named by a symbolic link.

    Raises:
        VersionError: nothing can be written there.
    """
    # Below its folder: another output of the same bytes may have its view there.
    try:
        with atomic.spare_folder(linked) as building:
            for target, source in files.items():
                _link(source, building / target.relative_to(linked.parent), copy=copy)
            with suppress(OSError):  # another process made the same view meanwhile
                (building / linked.name).rename(linked)
    except (OSError, DataError) as error:
        said = cannot_write(error) or str(error)
        raise VersionError(f"no view of {linked.name} can be made: {said}") from error


def hold(linked: Path) -> bool:
    """Keep a view from being pruned while this process lives; whether it is there."""
    folder = linked.parent
    if not linked.exists():
        return False
    if folder not in _held:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_SH)
            _held[folder] = handle
    with suppress(OSError):
        os.utime(folder, ns=(time.time_ns(), folder.stat().st_mtime_ns))
    if linked.exists():
        return True
    with suppress(KeyError, OSError):  # it was pruned before this process held it
        os.close(_held.pop(folder))
    return False


def prune(ws: Workspace, unused: float = UNUSED_SECONDS) -> list[Path]:
    """Remove the views that no process holds and none opened for ``unused`` seconds.

    So too what was taken out of git of other revisions.
    """
    gone = []
    for folder in sorted((*ws.views.glob("*"), *ws.revisions.glob("[!.]*"))):
        with suppress(OSError):
            opened = max(folder.stat().st_atime, folder.stat().st_mtime)
            if time.time() - opened >= unused and _remove_unheld(folder):
                gone.append(folder)
    return gone


def _listed(ws: Workspace, store: Store, known: Output) -> dict[str, str] | None:
    files = store.members(known)
    if files is None and ws.earlier:
        store.fetch([known.md5], known.path)
        files = store.members(known)
    return files


def _is_pack(path: str) -> bool:
    """Whether a file of a table holds nothing but packed pixels (see ``tables``)."""
    return path.endswith(".blob")


def _link(source: Path, target: Path, *, copy: bool) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        try:
            os.link(source, target)
        except FileExistsError:
            return
        except OSError:
            if copy:
                shutil.copy2(source, target)
            else:
                target.symlink_to(source)


def _remove_unheld(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        trash = atomic.beside(folder)
        folder.rename(trash)  # whoever opens it now makes it anew
        shutil.rmtree(trash, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
