"""Revisions: the catalogue at any git revision, as a read-only workspace."""

import hashlib
import re
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from likewise.errors import (
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.versions.clone_remotes import resolve_remotes
from likewise.storage.versions.commands import git_bytes, run_git
from likewise.storage.versions.view_links import own_folder
from likewise.storage.versions.views import lock_view
from likewise.storage.workspace import VERSIONED, Workspace

_TAR_END = bytes(1024)
"""Two empty blocks; every tar archive ends with them."""


def workspace_at(ws: Workspace, rev: str, dataset: str = "") -> Workspace:
    """Return the workspace at the git revision ``rev``; it is read-only.

    Cards, params, digests and reports are of that revision. A table is linked from the DVC
    cache when it is first opened, and fetched from the remote if the cache lacks it.

    Raises:
        UnknownNameError: no such branch, tag or commit; the message lists the nearest names.
        MissingArtefactError: there was no catalogue yet.
        VersionError: this is not a git repository.
    """
    commit = resolve(ws.home, rev, dataset)
    then = Workspace(own_folder(ws, ws.revisions, commit), ws.home)
    if not lock_view(then.params_file):
        _extract(ws, commit, rev, then.root)
        lock_view(then.params_file)
    return then


def resolve(root: Path, rev: str, dataset: str = "") -> str:
    """Return the commit (40 digits) of ``rev``: a branch, a tag, ``HEAD~2`` ...

    ``rev`` may also be a DVC experiment or the number of a release: 1.2 is the tag
    ``<dataset>@v1.2.0``. Without ``dataset``, the number must belong to a single data set.

    Raises:
        UnknownNameError: no such revision; the message lists the nearest names.
        VersionError: ``root`` is in no git repository.
    """
    for name in (rev, f"refs/remotes/origin/{rev}", *_releases(root, rev, dataset)):
        with suppress(VersionError):
            commit = f"{name}^{{commit}}"
            return run_git(root, "rev-parse", "--verify", "--end-of-options", commit).split()[
                -1
            ]
    names = "--format=%(refname:short)"
    known = run_git(root, "for-each-ref", names, "refs/tags", "refs/heads", "refs/remotes")
    raise UnknownNameError("revision", rev, known.split())


def _releases(root: Path, rev: str, dataset: str) -> list[str]:
    """Return the release tag or DVC experiment that ``rev`` names, if it is unique."""
    number = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", rev)
    patterns = [f"refs/exps/*/*/{rev}"]
    if number:
        release = f"v{'.'.join(part or '0' for part in number.groups())}"
        patterns = [f"refs/tags/{dataset or '*'}@{release}"]
    elif re.search(r"[*?\[\]\\ ]", rev):  # git would read it as a pattern
        return []
    with suppress(VersionError):
        refs = run_git(root, "for-each-ref", "--format=%(refname)", *patterns).split()
        return refs if len(refs) == 1 else []
    return []


def text_at(root: Path, rev: str, path: str) -> str | None:
    """Return the text of the file ``path`` at a revision; None if it did not exist."""
    try:
        return git_bytes(root, "show", f"{rev}:./{path}").decode("utf-8", errors="replace")
    except VersionError:
        return None


def texts_at(root: Path, names: Sequence[str]) -> list[str | None]:
    """Return the texts of the files ``names`` (``COMMIT:./PATH``), read by one git process."""
    output = git_bytes(
        root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode()
    )
    texts: list[str | None] = []
    at = 0
    for _ in names:
        end = output.index(b"\n", at)
        head = output[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(head) < 3 or not head[2].isdigit():
            texts.append(None)
            continue
        texts.append(output[at : at + int(head[2])].decode("utf-8", errors="replace"))
        at += int(head[2]) + 1
    return texts


def grep(root: Path, words: str) -> list[str]:
    """Return the tracked files that contain one of ``words`` (one word per line).

    Raises:
        VersionError: ``root`` is in no git repository.
    """
    run_git(root, "rev-parse", "--git-dir")
    try:
        output = git_bytes(
            root,
            "grep",
            "-z",
            "--name-only",
            "--fixed-strings",
            "-f",
            "-",
            stdin=words.encode(),
        )
    except VersionError:  # git grep fails if nothing matches
        return []
    return [name for name in output.decode(errors="replace").split("\0") if name]


def clone(url: str, keeper: Workspace) -> Workspace:
    """Return the catalogue of the repository at ``url``; ``keeper`` stores the clone.

    A local folder with a checkout is used directly. A clone has the files of git but no
    tables; every call updates it if ``url`` is reachable.

    Raises:
        VersionError: nothing can be cloned from there.
        MissingArtefactError: the repository contains no catalogue.
        DataError: the repository contains several catalogues.
    """
    local = Path(url).expanduser()
    if Workspace(local).is_catalogue:
        return Workspace(local.resolve())
    folder = keeper.clone(hashlib.sha256(url.encode()).hexdigest()[:16])
    refuse_links(keeper.cache_root, folder)
    mark, purpose = folder.with_name(f"{folder.name}.seal"), f"clones/{folder.name}"
    if folder.is_dir() and not seals.is_marked(keeper, mark, purpose):
        shutil.rmtree(folder)  # of another checkout: git would obey its configuration
    if folder.is_dir():
        with suppress(VersionError):  # without network, use what was fetched before
            run_git(folder, "fetch", "--quiet", "--tags", "--force", "origin")
            run_git(folder, "reset", "--quiet", "--hard", "origin/HEAD")
    else:
        source = local.resolve().as_posix() if local.exists() else url
        with atomic.spare_folder(folder) as building:
            try:
                run_git(building.parent, "clone", "--quiet", "--", source, building.name)
            except VersionError as error:
                what = f"{url} cannot be cloned; check the address and your access rights"
                raise VersionError(what) from error
            seals.mark(keeper, mark, purpose)
            with suppress(OSError):  # another process created it meanwhile
                building.rename(folder)
    name = Workspace(folder).params_file.name
    tracked = run_git(folder, "ls-files", "-z", "--", name, f"*/{name}")
    top = _single_catalogue([(folder / p).parent for p in tracked.split("\0") if p], url)
    resolve_remotes(folder, url, top)
    return Workspace(top)


def _single_catalogue(folders: Iterable[Path], url: str) -> Path:
    catalogues = sorted(folder for folder in folders if Workspace(folder).catalog.is_dir())
    if not catalogues:
        raise MissingArtefactError(f"{url} holds no catalogue", "likewise init")
    if len(catalogues) > 1:
        raise DataError(
            f"{url} holds {counted(len(catalogues), 'catalogue')}; clone it and open one of "
            "them"
        )
    return catalogues[0]


def _extract(ws: Workspace, commit: str, rev: str, folder: Path) -> None:
    """Write the small files of ``commit`` to ``folder``, completely or not at all."""
    tracked = git_bytes(ws.home, "ls-tree", "--name-only", "-z", commit).decode().split("\0")
    own = Workspace(folder)
    if not {own.params_file.name, own.catalog.name} <= set(tracked):
        raise MissingArtefactError(f"there was no catalogue at {rev}", "likewise log")
    names = [name for name in VERSIONED if name in tracked]
    packed = git_bytes(ws.home, "archive", "--format=tar", commit, "--", *names)
    if not packed.endswith(_TAR_END):  # tarfile accepts most truncated archives
        raise DataError(f"git's archive of {ws.home} at {rev} is incomplete; run: git fsck")
    with atomic.spare_folder(folder) as building:
        try:
            with tarfile.open(fileobj=BytesIO(packed), mode="r:") as archive:
                archive.extractall(building, filter="data")
        except tarfile.TarError as error:  # such as a link that leads outside the folder
            raise DataError(f"{ws.home} at {rev} cannot be read: {error}") from error
        with suppress(OSError):  # another process created it meanwhile
            building.rename(folder)
