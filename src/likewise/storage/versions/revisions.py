"""Revisions: what git knew of the catalogue at any of them, as a workspace to read."""

import hashlib
import re
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
from likewise.storage.versions.commands import git_bytes, run_git
from likewise.storage.versions.views import hold
from likewise.storage.workspace import VERSIONED, Workspace

_TAR_END = bytes(1024)
"""Two empty blocks, with which every tar ends."""


def at(ws: Workspace, rev: str, dataset: str = "") -> Workspace:
    """The workspace as it was at the git revision ``rev``; nobody writes in it.

    Cards, params, digests and reports are that revision's; a table is linked from the DVC
    cache when it is first opened, and fetched from the remote where the cache lacks it.

    Raises:
        UnknownNameError: no such branch, tag or commit; the nearest names.
        MissingArtefactError: there was no catalogue yet.
        VersionError: this is no git repository.
    """
    commit = resolve(ws.home, rev, dataset)
    then = Workspace(ws.revisions / commit, ws.home)
    if not hold(then.params_file):
        _extract(ws, commit, rev, then.root)
        hold(then.params_file)
    return then


def resolve(root: Path, rev: str, dataset: str = "") -> str:
    """The commit that ``rev`` (a branch, a tag, ``HEAD~2`` ...) means: 40 digits.

    It may be a release's number too: 1.2 is the tag ``<dataset>@v1.2.0``, of any data set where
    none is named and only one was released by that number; or the name of one of DVC's
    experiments.

    Raises:
        UnknownNameError: there is none; the nearest names.
        VersionError: ``root`` is in no git repository.
    """
    for name in (rev, f"refs/remotes/origin/{rev}", *_releases(root, rev, dataset)):
        with suppress(VersionError):
            asked = f"{name}^{{commit}}"
            return run_git(root, "rev-parse", "--verify", "--end-of-options", asked).split()[-1]
    names = "--format=%(refname:short)"
    known = run_git(root, "for-each-ref", names, "refs/tags", "refs/heads", "refs/remotes")
    raise UnknownNameError("revision", rev, known.split())


def _releases(root: Path, rev: str, dataset: str) -> list[str]:
    """The tags of releases, or the experiment of DVC's, that ``rev`` may mean."""
    number = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", rev)
    patterns = [f"refs/exps/*/*/{rev}"]
    if number:
        release = f"v{'.'.join(part or '0' for part in number.groups())}"
        patterns = [f"refs/tags/{dataset or '*'}@{release}"]
    elif re.search(r"[*?\[\]\\ ]", rev):  # no name, but it would be taken for a pattern
        return []
    with suppress(VersionError):
        found = run_git(root, "for-each-ref", "--format=%(refname)", *patterns).split()
        return found if len(found) == 1 else []
    return []


def text_at(root: Path, rev: str, path: str) -> str | None:
    """The text of a file at a revision, by its path from ``root``; None where it was not."""
    try:
        return git_bytes(root, "show", f"{rev}:./{path}").decode("utf-8", errors="replace")
    except VersionError:
        return None


def texts_at(root: Path, names: Sequence[str]) -> list[str | None]:
    """The texts of many files as git knows them, ``COMMIT:./PATH`` each, by one process."""
    said = git_bytes(
        root, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode()
    )
    texts: list[str | None] = []
    at = 0
    for _ in names:
        end = said.index(b"\n", at)
        head = said[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(head) < 3 or not head[2].isdigit():
            texts.append(None)
            continue
        texts.append(said[at : at + int(head[2])].decode("utf-8", errors="replace"))
        at += int(head[2]) + 1
    return texts


def grep(root: Path, words: str) -> list[str]:
    """The files that git has in the checkout and that hold one of ``words``, a line each.

    Raises:
        VersionError: ``root`` is in no git repository.
    """
    run_git(root, "rev-parse", "--git-dir")
    try:
        said = git_bytes(
            root,
            "grep",
            "-z",
            "--name-only",
            "--fixed-strings",
            "-f",
            "-",
            given=words.encode(),
        )
    except VersionError:  # git's way to say that there is none
        return []
    return [name for name in said.decode(errors="replace").split("\0") if name]


def clone(url: str, keeper: Workspace) -> Workspace:
    """The catalogue of the repository at ``url``, a clone of which ``keeper`` keeps.

    A folder of this machine with a checkout is used as it stands. A clone holds what git
    knows and no table; it is brought up to date at every call, as far as ``url`` answers.

    Raises:
        VersionError: nothing can be cloned from there.
        MissingArtefactError: it holds no catalogue.
        DataError: it holds several.
    """
    here = Path(url).expanduser()
    if Workspace(here).there:
        return Workspace(here.resolve())
    folder = keeper.clone(hashlib.sha256(url.encode()).hexdigest()[:16])
    if folder.is_dir():
        with suppress(VersionError):  # no network: what was fetched before still stands
            run_git(folder, "fetch", "--quiet", "--tags", "--force", "origin")
            run_git(folder, "reset", "--quiet", "--hard", "origin/HEAD")
    else:
        source = here.resolve().as_posix() if here.exists() else url
        with atomic.spare_folder(folder) as building:
            try:
                run_git(building.parent, "clone", "--quiet", "--", source, building.name)
            except VersionError as error:
                what = f"{url} cannot be cloned; look at the address and at your rights there"
                raise VersionError(what) from error
            with suppress(OSError):  # another process made the same meanwhile
                building.rename(folder)
    name = Workspace(folder).params_file.name
    tracked = run_git(folder, "ls-files", "-z", "--", name, f"*/{name}")
    return Workspace(_only([(folder / p).parent for p in tracked.split("\0") if p], url))


def _only(folders: Iterable[Path], url: str) -> Path:
    found = sorted(folder for folder in folders if Workspace(folder).catalog.is_dir())
    if not found:
        raise MissingArtefactError(f"{url} holds no catalogue", "likewise init")
    if len(found) > 1:
        raise DataError(f"{url} holds {len(found)} catalogues; clone it and open one of them")
    return found[0]


def _extract(ws: Workspace, commit: str, rev: str, folder: Path) -> None:
    """Write the small files of ``commit`` to ``folder``, whole or not at all."""
    there = git_bytes(ws.home, "ls-tree", "--name-only", "-z", commit).decode().split("\0")
    own = Workspace(folder)
    if not {own.params_file.name, own.catalog.name} <= set(there):
        raise MissingArtefactError(f"there was no catalogue at {rev}", "likewise log")
    wanted = [name for name in VERSIONED if name in there]
    packed = git_bytes(ws.home, "archive", "--format=tar", commit, "--", *wanted)
    if not packed.endswith(_TAR_END):  # tarfile takes most of those for whole
        raise DataError(f"git's archive of {ws.home} at {rev} broke off; run: git fsck")
    with atomic.spare_folder(folder) as building:
        try:
            with tarfile.open(fileobj=BytesIO(packed), mode="r:") as archive:
                archive.extractall(building, filter="data")
        except tarfile.TarError as error:  # a link of a foreign repository that leads outside
            raise DataError(f"{ws.home} at {rev} is not read: {error}") from error
        with suppress(OSError):  # another process made the same meanwhile
            building.rename(folder)
