"""Checks of DVC's cache: files that differ from their md5."""

from collections.abc import Iterator

from tqdm import tqdm

from likewise.catalogue.outputs import outputs_of
from likewise.errors import VersionError
from likewise.steps.doctor.problem import Problem
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace


def damaged_lists(ws: Workspace) -> Iterator[Problem]:
    """Yield the lists of files in the cache that DVC cannot read."""
    store = Store(ws.root)
    for output in outputs_of(ws):
        try:
            store.members(output)
        except VersionError as error:
            yield _damaged(str(error))


def check(ws: Workspace) -> Iterator[Problem]:
    """Read every cached file that dvc.lock names, and yield the damaged ones."""
    store = Store(ws.root)
    for output in tqdm(outputs_of(ws), unit="output", desc="cache", disable=None):
        try:
            members = store.members(output) or {}
        except VersionError as error:
            yield _damaged(str(error))
            continue
        damaged = set(store.damaged((output.md5, *members.values())))
        for path in sorted(path for path, md5 in members.items() if md5 in damaged):
            what = f"the cached file of {output.path}/{path} has changed since it was stored"
            yield _damaged(what.replace("/ has", " has"))


def _damaged(what: str) -> Problem:
    """Return the problem of a damaged file of the cache."""
    return Problem("cache", what, "likewise pull --verify")
