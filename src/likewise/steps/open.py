"""Open a catalogue, or one of its data sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import overload

from likewise import commits, versions
from likewise.errors import (
    MissingArtefactError,
)
from likewise.steps.dataset import Dataset
from likewise.workspace import Workspace


def open_workspace(
    workspace: Path | None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    dataset: str = "",
) -> Workspace:
    """The workspace around ``workspace`` (by default the current folder), whole.

    Args:
        workspace: a folder in the catalogue.
        rev: a git revision to read it at, instead of what is checked out.
        repo: the URL or folder of another catalogue's git repository, to be read instead.
        dataset: whose release ``rev`` may name by its number alone: 1.2.

    Raises:
        MissingArtefactError: there is none.
        UnknownNameError: no such revision; the nearest names.
        VersionError: ``repo`` cannot be cloned.
    """
    if repo is not None:
        return versions.at(versions.clone(repo, _caches(workspace)), rev or "HEAD", dataset)
    ws = Workspace.find(workspace)
    commits.recover(ws)
    return ws if rev is None else versions.at(ws, rev, dataset)


def _caches(workspace: Path | None) -> Path:
    """Where clones of others' repositories are kept: in the catalogue one stands in, if any."""
    try:
        return versions.scratch(Workspace.find(workspace))
    except MissingArtefactError:
        return versions.scratch(Workspace(Path.home()))


class Catalogue:
    """A catalogue: its data sets by name."""

    def __init__(self, ws: Workspace) -> None:
        """Stand on a workspace."""
        self._ws = ws

    def __getitem__(self, name: str) -> Dataset:
        """The data set ``name``.

        Raises:
            UnknownNameError: there is none of that name.
        """
        self._ws.known(name)
        return Dataset(self._ws, name)

    def __iter__(self) -> Iterator[str]:
        """The names of the data sets and views, sorted."""
        return iter(sorted([*self._ws.params.datasets, *self._ws.params.views]))

    def __len__(self) -> int:
        """How many data sets and views there are."""
        return len(self._ws.params.datasets) + len(self._ws.params.views)


@overload
def open_catalogue(
    name: None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Catalogue: ...
@overload
def open_catalogue(
    name: str,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Dataset: ...
def open_catalogue(
    name: str | None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Catalogue | Dataset:
    """The catalogue around ``workspace`` (by default the current folder), or a data set of it.

    Args:
        name: a data set; without it, all of them by name.
        rev: a git revision: a tag, a branch, ``HEAD~1`` ... Its cards, params and tables are
            opened beside the checked-out ones, without a copy; what this machine lacks comes
            from the DVC remote, and pixels only when images are asked for.
        repo: another catalogue's git repository, by URL or folder; its last commit where
            ``rev`` says no other.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
        UnknownNameError: it has no data set ``name``, or git no revision ``rev``.
        VersionError: the repository cannot be cloned, or the remote not be read.
    """
    catalogue = Catalogue(open_workspace(workspace, rev=rev, repo=repo, dataset=name or ""))
    return catalogue if name is None else catalogue[name]
