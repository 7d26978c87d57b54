"""Open a catalogue or one of its data sets."""

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
    """Open the catalogue around ``workspace``, or one of its data sets.

    Args:
        name: name of the data set; without it, the catalogue is returned.
        rev: git revision to open: a tag, a branch, ``HEAD~1`` ... Cards, params and tables of
            that revision are read without a copy, and the checkout does not change. Missing
            tables are fetched from the DVC remote, pixels only when images are requested.
        repo: git repository of another catalogue, a URL or a folder; by default its last
            commit is opened.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
        UnknownNameError: the catalogue has no data set ``name``, or git no revision ``rev``.
        VersionError: the repository cannot be cloned, or the remote cannot be read.

    Examples:
        >>> likewise.open("emoji")
        Dataset('emoji', 23 items, models: tiny)
        >>> likewise.open("emoji", rev="v1")
        Dataset('emoji', 24 items, models: tiny)
    """
    catalogue = Catalogue(open_workspace(workspace, rev=rev, repo=repo, dataset=name or ""))
    return catalogue if name is None else catalogue[name]
