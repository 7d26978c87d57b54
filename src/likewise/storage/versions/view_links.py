"""Links of a view to the files of DVC's cache or of the checkout."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from likewise.errors import DataError, VersionError, cannot_write
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.versions.dvc_cache import Store
from likewise.storage.workspace import Workspace


def own_folder(ws: Workspace, place: Path, name: str) -> Path:
    """Return the folder of a view that this user of this checkout makes: ``name``-seal.

    Nobody without the key knows the path, so a view that came with the catalogue has another
    one and is never read. Users of a shared checkout do not replace the views of each other.

    Args:
        ws: the checkout.
        place: the folder of views, or of extracted revisions.
        name: name of the version.

    Raises:
        VersionError: there is no place for the key.
    """
    try:
        own = seals.own_name(ws, f"{place.name}/{name}")
    except DataError as error:
        raise VersionError(str(error)) from error
    return place / f"{name}-{own}"


def link_view(
    linked: Path,
    files: dict[Path, Path],
    *,
    copy: bool = True,
    valid: Callable[[Path], bool] = lambda _: True,
) -> bool:
    """Create the folder ``linked`` of links (target -> source), completely or not at all.

    If hard links are impossible (other file system, other owner), files are copied; without
    ``copy``, meant for files that never change, symbolic links are used.

    Returns:
        False if ``valid`` refused the folder: it was not created.

    Raises:
        VersionError: nothing can be written there.
    """
    # Rename inside the folder: another output of the same bytes may have its view there.
    try:
        with atomic.spare_folder(linked) as building:
            for target, source in files.items():
                link(source, building / target.relative_to(linked.parent), copy=copy)
            made = building / linked.name
            if not valid(made):
                return False
            with suppress(OSError):  # another process created it meanwhile
                made.rename(linked)
    except (OSError, DataError) as error:
        message = cannot_write(error) or str(error)
        raise VersionError(f"no view of {linked.name} can be made: {message}") from error
    return True


def link_again(store: Store, linked: Path, files: Mapping[str, str]) -> None:
    """Replace links to files that the cache has replaced since, because of damage."""
    for path, md5 in files.items():
        target, source = linked / path if path else linked, store.path(md5)
        if source.is_file() and not (target.exists() and target.samefile(source)):
            with suppress(OSError, DataError):
                refuse_links(linked.parent, target.parent)
                atomic.replace_by_link(target, source)


def link_files(files: Mapping[Path, Path]) -> None:
    """Link each target to its source, a file that never changes; existing targets stay."""
    for target, source in files.items():
        link(source, target, copy=False)


def link(source: Path, target: Path, *, copy: bool) -> None:
    """Link ``target`` to ``source`` unless it exists; see ``link_view``."""
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
