"""A checkout of a catalogue: its params.yaml and cards, and where everything lies."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from likewise.errors import MissingArtefactError, UnknownNameError
from likewise.formats.paths import StrPath
from likewise.storage.config import (
    Card,
    DatasetEntry,
    Params,
    Run,
    read_card,
    read_params,
)
from likewise.storage.workspace.places import DIGESTS, TABLE, VERSIONED, Places, subfolders

__all__ = ["TABLE", "VERSIONED", "Workspace", "subfolders"]


class Workspace(Places):
    """The folder that holds ``catalog/`` and ``params.yaml``, and the names of all in it."""

    @classmethod
    def find(cls, start: StrPath | None = None) -> "Workspace":
        """The workspace that ``start`` (by default the current folder) lies in.

        Raises:
            MissingArtefactError: neither the folder nor one above it is a catalogue.
        """
        here = (Path.cwd() if start is None else Path(start)).resolve()
        for folder in (here, *here.parents):
            if (ws := cls(folder)).there:
                return ws
        raise MissingArtefactError(f"no catalogue in {here} or above it", "likewise init")

    @property
    def there(self) -> bool:
        """Whether the folder holds a catalogue."""
        return self.params_file.is_file() and self.catalog.is_dir()

    @cached_property
    def params(self) -> Params:
        """The checked params.yaml."""
        return read_params(self.params_file, historic=self.earlier)

    def dataset(self, name: str) -> DatasetEntry:
        """Where the data set ``name`` lies.

        Raises:
            UnknownNameError: params.yaml has no such data set.
        """
        if name not in self.params.datasets:
            raise UnknownNameError("data set", name, self.params.datasets, "params.yaml")
        return self.params.datasets[name]

    def known(self, name: str) -> None:
        """Refuse a name that is neither a data set's nor a view's.

        Raises:
            UnknownNameError: params.yaml has no such data set or view.
        """
        names = [*self.params.datasets, *self.params.views]
        if name not in names:
            raise UnknownNameError("data set", name, names, "params.yaml")

    def run(self, name: str) -> Run:
        """What the run ``name`` evaluates.

        Raises:
            UnknownNameError: params.yaml has no such run.
        """
        if name not in self.params.runs:
            raise UnknownNameError("run", name, self.params.runs, "params.yaml")
        return self.params.runs[name]

    def card(self, dataset: str) -> Card:
        """What the data set ``dataset`` is.

        Raises:
            MissingArtefactError: it has no card.
        """
        dataset = self.params.base(dataset)
        path = self.card_file(dataset)
        if not path.is_file():
            what = f"data set {dataset!r} has no card ({self.relative(path)})"
            known = dataset in self.params.datasets
            add = f"likewise add {dataset} --source KIND --path DIR"
            raise MissingArtefactError(
                what, f"git restore {self.relative(path)}" if known else add
            )
        return read_card(path)

    def source(self, path: str) -> Path:
        """A path of params.yaml: relative to the workspace, or absolute; ``~`` is the home."""
        return self.home / Path(path).expanduser()

    def table(self, dataset: str, name: str) -> Path:
        """A table: ``images``, ``items``, ``findings``, of ingest; ``pixels``; ``flags``."""
        return self.tables(self.params.base(dataset)) / f"{name}{TABLE}"

    @property
    def cards(self) -> list[Path]:
        """The cards that are there, sorted."""
        found = sorted(self.catalog.glob("*.yaml"))
        return [path for path in found if not path.name.endswith(DIGESTS)]

    def made(self) -> Iterator[Path]:
        """What stages and reports have left here, and folders that are no data set's."""
        for pattern in (f"*{TABLE}", f"*{DIGESTS}"):
            yield from sorted(self.catalog.glob(pattern))
        for folder in subfolders(self.catalog):
            if folder.name in self.params.datasets:
                yield from sorted(self.embeddings(folder.name, "").parent.glob(f"*{TABLE}"))
                yield from sorted(self.digests(folder.name, "").parent.glob("*.yaml"))
            elif folder.suffix != TABLE:
                yield folder
        for pattern in ("*.json", "*.parquet"):
            yield from sorted(self.reports.glob(pattern))
        yield from subfolders(self.models)
