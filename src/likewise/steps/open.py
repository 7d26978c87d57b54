"""Open a catalogue, or one of its data sets."""

from typing import overload

from likewise.catalogue.catalogue import Catalogue, open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.formats.paths import StrPath


@overload
def open(
    name: None = None,
    *,
    rev: str | None = None,
    repo: StrPath | None = None,
    workspace: StrPath | None = None,
) -> Catalogue: ...
@overload
def open(
    name: str,
    *,
    rev: str | None = None,
    repo: StrPath | None = None,
    workspace: StrPath | None = None,
) -> Dataset: ...
@overload
def open(
    name: str | None = None,
    *,
    rev: str | None = None,
    repo: StrPath | None = None,
    workspace: StrPath | None = None,
) -> Catalogue | Dataset: ...
def open(
    name: str | None = None,
    *,
    rev: str | None = None,
    repo: StrPath | None = None,
    workspace: StrPath | None = None,
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
