"""Catalogues that several tests copy or read."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import likewise


def published(root: Path, name: str, kind: str, source: Path, licence: str) -> Path:
    """Make a catalogue in ``root`` of the data set at ``source``: ingest and publish it."""
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  {name}: {{path: {source}, annotations: {source}}}\n", "utf-8"
    )
    (root / "catalog" / f"{name}.yaml").write_text(
        f"title: {name.title()}\nsource: {{kind: {kind}}}\nlicence: {{spdx: {licence}}}\n",
        "utf-8",
    )
    likewise.ingest(name, workspace=root)
    likewise.publish(name, workspace=root)
    return root


def sign(patch: pytest.MonkeyPatch, top: Path) -> None:
    """Set the author of commits, and a folder of DVC in ``top``."""
    patch.setenv("DVC_SITE_CACHE_DIR", str(top / "site"))
    patch.setenv("DVC_NO_ANALYTICS", "1")
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "A")
        patch.setenv(f"GIT_{role}_EMAIL", "a@example.org")


def copied(catalogue: Path, root: Path, patch: pytest.MonkeyPatch) -> Path:
    """Copy a catalogue for one test, and make the copy the current folder."""
    shutil.copytree(catalogue, root, symlinks=True)
    patch.chdir(root)
    return root


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of a run share."""
    top = factory.getbasetemp()
    return top.parent if "PYTEST_XDIST_WORKER" in os.environ else top


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder for all workers of a run, made by the first that wants it; tests copy it."""
    top = run_folder(factory)
    folder, made = top / name, top / f"{name}.made"
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker in which it failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
