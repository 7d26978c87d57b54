"""Open a catalogue at any revision, and its data sets by name."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, overload

from likewise.catalogue.summaries import summary_of
from likewise.errors import LikewiseError, MissingArtefactError
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.storage import journal, versions
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from likewise.catalogue.dataset import Dataset

_VERSION_DIGITS = 16


def open_workspace(
    workspace: StrPath | None = None,
    *,
    rev: str | None = None,
    repo: StrPath | None = None,
    dataset: str = "",
) -> Workspace:
    """Open the workspace around ``workspace`` (by default the current folder).

    Interrupted writes are completed or undone first.

    Args:
        workspace: a folder in the catalogue.
        rev: a git revision to read it at, instead of what is checked out.
        repo: the URL or folder of another catalogue's git repository, to read instead.
        dataset: a data set; ``rev`` may then be the number of its release: 1.2.

    Raises:
        MissingArtefactError: there is no workspace.
        UnknownNameError: no such revision; the error lists similar names.
        VersionError: ``repo`` cannot be cloned.
        DataError: git tracks files of the catalogue that only this checkout may write.
    """
    if repo is not None:
        other = versions.clone(os.fspath(repo), _keeper(workspace))
        versions.check_tracked(other)
        return versions.workspace_at(other, rev or "HEAD", dataset)
    ws = Workspace.find(workspace)
    versions.check_tracked(ws)
    journal.recover(ws)
    return ws if rev is None else versions.workspace_at(ws, rev, dataset)


def _keeper(workspace: StrPath | None) -> Workspace:
    """Return the workspace that stores clones of other repositories.

    It is the catalogue that contains ``workspace``, or the home folder outside catalogues.
    """
    try:
        ws = Workspace.find(workspace)
    except MissingArtefactError:
        return Workspace(Path.home())
    versions.check_tracked(ws)
    return ws


class Catalogue:
    """A catalogue: its data sets and views by name.

    ``catalogue["emoji"]`` opens one; ``for name in catalogue`` iterates over the names.
    """

    def __init__(self, ws: Workspace) -> None:
        """Open the catalogue of a workspace."""
        self._ws = ws

    def __getitem__(self, name: str) -> "Dataset":
        """Open the data set ``name``.

        Raises:
            UnknownNameError: no such data set.
        """
        from likewise.catalogue.dataset import Dataset  # it loads Arrow, Pillow and polars

        self._ws.check_known(name)
        return Dataset(self._ws, name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the data sets and views, sorted."""
        return iter(sorted([*self._ws.params.datasets, *self._ws.params.all_views]))

    def __len__(self) -> int:
        """Return the number of data sets and views."""
        return len(self._ws.params.datasets) + len(self._ws.params.all_views)

    def __contains__(self, name: object) -> bool:
        return name in self._ws.params.datasets or name in self._ws.params.all_views

    @property
    def root(self) -> Path:
        """The folder of the catalogue."""
        return self._ws.root

    @property
    def is_writable(self) -> bool:
        """True if this process may change the data sets of the catalogue."""
        return os.access(self._ws.catalog, os.W_OK)

    @property
    def indexes(self) -> list[str]:
        """Names of the indexes by which data sets can be searched: exact, and params.yaml's."""
        return list(dict.fromkeys(["exact", *self._ws.params.indexes]))

    @overload
    def version(self, dataset: "Dataset") -> str: ...
    @overload
    def version(self, dataset: str) -> str | None: ...
    def version(self, dataset: "str | Dataset") -> str | None:
        """Return the version of a published table: 16 hexadecimal digits.

        It differs after each ``publish``; the same files have the same version in every clone.

        Args:
            dataset: an open data set; or a name, for the table that is present now.

        Returns:
            The version; None if the table is not present, for example during ``dvc checkout``.

        Raises:
            UnknownNameError: no such data set.
        """
        from likewise.storage import tables

        if not isinstance(dataset, str):
            return tables.manifest_hash(dataset.published)[:_VERSION_DIGITS]
        self._ws.check_known(dataset)
        present = tables.present_hash(self._ws.published(dataset))
        return present and present[:_VERSION_DIGITS]

    def curated_version(self, dataset: str) -> str:
        """Return the version of the tags and selections of a data set: 16 hexadecimal digits.

        It differs as soon as one of their files changes. ``version`` does not: the
        published table has neither tags nor selections.

        Args:
            dataset: name of a data set, or a view for those of its data set.

        Returns:
            The version; "" if there are neither tags nor selections.

        Raises:
            UnknownNameError: no such data set.
        """
        from likewise.catalogue.curated_table import curated_state

        self._ws.check_known(dataset)
        return curated_state(self._ws, dataset)

    def report_page(self, run: str) -> Path:
        """Return the path of the HTML page of the report of a run, written or not.

        Raises:
            UnknownNameError: params.yaml has no such run.
        """
        self._ws.run(run)
        return self._ws.report(run, "html")

    def __repr__(self) -> str:
        return f"Catalogue({str(self._ws.root)!r}, data sets: {', '.join(self) or 'none'})"

    def _repr_html_(self) -> str:
        heads = ("data set", "state", "items", "models", "runs", "title")
        table = notebook.table(heads, map(self._summary, self))
        return notebook.heading(f"Catalogue in {self._ws.root}") + table

    def _summary(self, name: str) -> tuple[object, ...]:
        if name in self._ws.params.all_views:
            return name, f"view of {self._ws.params.all_views[name].of}", None, "", 0, ""
        try:
            summary = summary_of(self._ws, name)
        except LikewiseError as error:  # for example without a card
            return name, str(error), None, "", 0, ""
        models, runs = ", ".join(summary.models), len(summary.runs)
        return name, summary.state, summary.items, models, runs, summary.title
