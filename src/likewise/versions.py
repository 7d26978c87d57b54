"""git and DVC: run them, and find earlier versions of what a stage wrote; the door to dvc.

``dvc.lock`` names the md5 of a folder's list of files, and those lie in the DVC cache. Linking
them into ``.likewise/views/<md5>/`` opens that version at once, with no copy.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from likewise.config import read_yaml
from likewise.errors import VersionError
from likewise.workspace import Workspace


def run_dvc(root: Path, *args: str) -> str:
    """What the dvc command prints.

    Raises:
        VersionError: it failed; the last lines of what it said.
    """
    return _run([sys.executable, "-m", "dvc", *args], root)


def run_git(root: Path, *args: str) -> str:
    """What the git command prints.

    Raises:
        VersionError: it failed, or git is not installed.
    """
    return _run(["git", *args], root)


def present(ws: Workspace, output: Path) -> Path:
    """``output`` where it is in the workspace, else its last recorded version's view.

    A stage finds its outputs removed when DVC runs it, and a killed run leaves them so; the
    version that dvc.lock names is then the one that stands. Returns ``output`` itself where
    there is neither.
    """
    if output.exists():
        return output
    return view(ws, output) or output


def view(ws: Workspace, output: Path) -> Path | None:
    """The version of a stage's ``output`` that dvc.lock names, as a tree of links.

    None where dvc.lock does not know it or the cache does not hold all of it.
    """
    md5 = _locked_md5(ws, ws.relative(output))
    if md5 is None:
        return None
    linked = ws.private / "views" / md5 / output.name
    if linked.exists():
        return linked
    cache = _cache(ws)
    listing = cache / md5[:2] / md5[2:]
    if not listing.is_file():
        return None
    files = {linked: listing} if not md5.endswith(".dir") else _members(linked, listing, cache)
    if not all(source.is_file() for source in files.values()):
        return None
    link_view(linked, files)
    return linked


def link_view(linked: Path, files: dict[Path, Path]) -> None:
    """Make the tree ``linked`` of links, whole or not at all: its files, and what each is."""
    # Below its folder: another output of the same bytes may have its view there.
    building = linked.with_name(f".{linked.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    for target, source in files.items():
        place = building / target.relative_to(linked.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, place)
        except OSError:
            shutil.copy2(source, place)
    with suppress(OSError):  # another process made the same view meanwhile
        (building / linked.name).rename(linked)
    shutil.rmtree(building, ignore_errors=True)


def _locked_md5(ws: Workspace, path: str) -> str | None:
    lock = ws.root / "dvc.lock"
    document = read_yaml(lock) if lock.is_file() else None
    stages = document.get("stages", {}) if isinstance(document, dict) else {}
    for stage in stages.values():
        for out in stage.get("outs", []):
            if out.get("path") == path:
                return str(out.get("md5"))
    return None


def _cache(ws: Workspace) -> Path:
    from dvc.repo import Repo

    with Repo(str(ws.root)) as repo:
        return Path(repo.cache.local.path)


def _members(linked: Path, listing: Path, cache: Path) -> dict[Path, Path]:
    entries = json.loads(listing.read_text(encoding="utf-8"))
    return {linked / e["relpath"]: cache / e["md5"][:2] / e["md5"][2:] for e in entries}


def _run(command: list[str], root: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the words are ours)
            command,
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise VersionError(
            f"{command[0]} is not installed; install it and try again"
        ) from error
    if done.returncode:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise VersionError(f"{' '.join(command[-3:])} failed: {said}")
    return done.stdout
