"""Versions of a catalogue in git: the commits that changed dvc.lock."""

from contextlib import suppress
from typing import NamedTuple

from likewise.errors import LikewiseError, VersionError
from likewise.storage.versions.commands import run_git
from likewise.storage.versions.lock_file import Output, read_outputs
from likewise.storage.versions.revisions import texts_at
from likewise.storage.workspace import Workspace


class HeldVersion(NamedTuple):
    """A commit that changed dvc.lock, with its branches and tags."""

    commit: str
    names: str
    date: str
    outputs: dict[str, Output]


def recorded_versions(ws: Workspace) -> list[HeldVersion]:
    """Return every commit that changed dvc.lock, and every branch and tag, latest first."""
    asked, lock = "--format=%H%x09%D%x09%cs", ws.relative(ws.lock)
    try:
        changed = run_git(ws.root, "log", "--all", "--full-history", asked, "--", lock)
        tagged = run_git(ws.root, "log", "--all", "--no-walk", "--decorate", asked)
    except VersionError:
        return []  # no git, or no commit yet
    lines = {line.split("\t")[0]: line for line in (changed + tagged).splitlines()}
    texts = texts_at(ws.root, [f"{commit}:./{lock}" for commit in lines])
    recorded = []
    for line, text in zip(lines.values(), texts, strict=True):
        if text is None:
            continue
        commit, refs, date = line.split("\t")
        names = ", ".join(n.split(" -> ")[-1].removeprefix("tag: ") for n in refs.split(", "))
        with suppress(LikewiseError):
            recorded.append(HeldVersion(commit, names, date, read_outputs(text)))
    return recorded
