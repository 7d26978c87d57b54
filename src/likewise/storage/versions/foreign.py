"""Refuse what a clone must not bring: files that only a checkout writes, and links that leave.

A catalogue that somebody else wrote may be opened and pulled. Git could bring files into the
folders in which Likewise and DVC keep their own state, symbolic links through which a write
lands outside the catalogue, and settings of DVC that name commands or files of this machine.
"""

import functools
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from likewise.errors import DataError, VersionError, bounded
from likewise.formats.paths import path_fault, refuse_links
from likewise.storage.seals import git_folder
from likewise.storage.versions.commands import git_bytes
from likewise.storage.workspace import Workspace

_LINK = "120000"
"""Mode of a symbolic link in git's index."""

_OF_THIS_MACHINE = re.compile(r"path|(?<!pro)file|dir|command|script|ticket|plugin")
"""In the names of DVC's options: a file, folder or command of the machine that reads them."""


def check_tracked(ws: Workspace) -> None:
    """Check that the catalogue brought nothing that only this checkout may write.

    Without git, or where git refuses to read the checkout, only links are checked.

    Raises:
        DataError: git tracks files in ``.likewise`` or in DVC's own folders, or a symbolic link
            that leads out of the catalogue from a place in which Likewise writes; or a folder
            of ``.likewise`` is a link.
    """
    for place in (ws.private, *sorted(ws.private.glob("*"))):
        refuse_links(ws.home, place)
    folder = git_folder(ws.home)
    if folder is None:
        return
    try:
        facts = (folder / "index").stat()
    except OSError:
        return  # a repository without any file
    _check_index(ws.home, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def check_settings(root: Path) -> None:
    """Check that the shared settings of DVC name no command, file or folder of this machine.

    The settings that DVC reads in ``root`` are checked; they may be in a folder above.

    Raises:
        VersionError: the settings name one, or cannot be read. The user may set the option in
            ``config.local``, which is not part of a clone.
    """
    from dvc.config import Config, ConfigError

    top = _with_dvc(root)
    shared = top.dvc_configs[0]
    try:
        settings = Config.load_file(str(shared)) if shared.is_file() else {}
    except ConfigError as error:
        raise VersionError(f"{shared}: {' '.join(str(error).split())}") from error
    for name, value in _options(settings):
        if name == "cache.dir" and _is_inside(top.root, top.dvc / str(value)):
            continue
        raise VersionError(
            f"{shared} sets {name} to {str(value)!r}, which is a command, file or folder of "
            "one machine, but every clone of the catalogue contains this file; remove the "
            f"setting from it; if you trust the setting, run: dvc config --local {name} VALUE"
        )


def _options(settings: dict[str, dict[str, object]]) -> Iterator[tuple[str, object]]:
    """Yield the options of the sections that a pull reads which name something of a machine."""
    for section in ("core", "cache", "state", "index"):
        for name, value in settings.get(section, {}).items():
            if _OF_THIS_MACHINE.search(name):
                yield f"{section}.{name}", value
    for remote, options in settings.get("remote", {}).items():
        for name, value in options.items() if isinstance(options, dict) else ():
            if _OF_THIS_MACHINE.search(name):
                yield f"remote.{remote}.{name}", value


@functools.lru_cache(maxsize=64)
def _check_index(home: Path, *_stamp: int) -> None:
    above, ws = _with_dvc(home), Workspace(home)
    own = [_relative(home, place).casefold() for place in (ws.private, *above.dvc_state)]
    places = [*own, *(_relative(home, place) for place in (*ws.written, above.dvc))]
    words = ("ls-files", "--stage", "-z", "--", *(f":(icase){place}" for place in places))
    try:
        listed = git_bytes(home, *words)
    except VersionError:  # no git, or it does not trust the owner of the checkout
        return
    planted, leading, remove = [], [], set()
    for entry in os.fsdecode(listed).split("\0"):
        facts, _, name = entry.partition("\t")
        if not name:
            continue
        lower = name.casefold()
        place = next((p for p in own if lower == p or lower.startswith(f"{p}/")), None)
        if place is not None:
            planted.append(name)
            remove.add(name[: len(place)])
        elif facts.startswith(_LINK) and (home / name).is_symlink():
            leading += [name] if not _is_inside(home, home / name) else []
    if planted:
        folders = shlex.join(sorted(remove))
        raise DataError(
            f"{home}: git tracks {bounded(planted, len(planted), 3)}, but only Likewise may "
            "write there, and git must ignore it; these files were not read; inspect them, "
            f"then remove them: git rm -r --cached {folders} && rm -r {folders}"
        )
    if leading:
        raise DataError(
            f"{home}: {bounded(leading, len(leading), 3)} is a link to an absolute path or to "
            "a place outside the catalogue, but Likewise writes to it; replace the link by a "
            "file"
        )


def _with_dvc(root: Path) -> Workspace:
    """Return the nearest folder from ``root`` upwards in which DVC has its settings."""
    folders = map(Workspace, (root, *root.parents))
    return next((folder for folder in folders if folder.dvc.is_dir()), Workspace(root))


def _relative(home: Path, place: Path) -> str:
    return Path(os.path.relpath(place, home)).as_posix()


def _is_inside(root: Path, path: Path) -> bool:
    real, top = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    return real.is_relative_to(top) and not path_fault(real.relative_to(top).as_posix())
