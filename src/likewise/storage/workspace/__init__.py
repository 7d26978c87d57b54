"""A checkout of a catalogue: its params.yaml, its cards and its paths."""

import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from likewise.errors import (
    BrokenEntryWarning,
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
    bounded,
)
from likewise.formats.object_storage import as_path, is_remote
from likewise.formats.paths import StrPath
from likewise.storage.config import (
    VIEW_SECTIONS,
    Card,
    DatasetEntry,
    MapEntry,
    Params,
    Run,
    read_card,
    read_intact_params,
    read_params,
)
from likewise.storage.workspace.places import DIGESTS, TABLE, VERSIONED, Places, subfolders

__all__ = ["TABLE", "VERSIONED", "Places", "Workspace", "subfolders"]


class Workspace(Places):
    """The folder with ``catalog/`` and ``params.yaml``, and the names defined there."""

    @classmethod
    def find(cls, start: StrPath | None = None) -> "Workspace":
        """Return the workspace that contains ``start`` (by default the current folder).

        Raises:
            MissingArtefactError: neither the folder nor a parent is a catalogue.
            DataError: ``start`` is an address in object storage.
        """
        if start is not None and is_remote(start):
            raise DataError(
                f"{as_path(start)}: the tables of a catalogue cannot be in object storage; a "
                "catalogue is a folder, and its remote may be there: dvc remote add --default "
                "NAME ADDRESS"
            )
        here = (Path.cwd() if start is None else Path(start)).resolve()
        for folder in (here, *here.parents):
            if (ws := cls(folder)).is_catalogue:
                return ws
        raise MissingArtefactError(f"no catalogue in {here} or above it", "likewise init")

    @property
    def is_catalogue(self) -> bool:
        """True if the folder holds a catalogue."""
        return self.params_file.is_file() and self.catalog.is_dir()

    @cached_property
    def params(self) -> Params:
        """The content of params.yaml without its broken entries, of which a warning tells.

        Raises:
            ConfigError: params.yaml cannot be used at all.
        """
        params = read_intact_params(self.params_file, historic=self.is_historic)
        lines = [line for entry in params.broken if entry.own for line in entry.faults]
        if lines:
            text = f"{bounded(lines, len(lines), 3)}; only the other entries are used"
            warnings.warn(text, BrokenEntryWarning, stacklevel=3)
        return params

    def check_params(self) -> None:
        """Refuse a params.yaml with broken entries, before all entries are changed together.

        Raises:
            ConfigError: lists every fault of params.yaml, one line each.
        """
        read_params(self.params_file, historic=self.is_historic)

    def dataset(self, name: str) -> DatasetEntry:
        """Return the entry of the data set ``name`` in params.yaml.

        Raises:
            UnknownNameError: params.yaml has no such data set.
        """
        if name not in self.params.datasets:
            self.params.refuse_broken(name, ("datasets",))
            raise UnknownNameError("data set", name, self.params.datasets, "params.yaml")
        return self.params.datasets[name]

    def check_known(self, name: str) -> None:
        """Raise an error unless ``name`` is a data set or a view.

        Raises:
            UnknownNameError: params.yaml has no such data set or view.
        """
        names = [*self.params.datasets, *self.params.all_views]
        if name not in names:
            self.params.refuse_broken(name, ("datasets", *VIEW_SECTIONS))
            raise UnknownNameError("data set", name, names, "params.yaml")

    def need_entry(self, section: str, dataset: str) -> None:
        """Refuse a data set without an entry in a section that has one per data set.

        Raises:
            UnknownNameError: params.yaml has no such data set.
            ConfigError: it has no such entry, or a broken one.
        """
        if dataset not in getattr(self.params, section):
            self.params.refuse_broken(dataset, (section,))
            self.dataset(dataset)
            raise ConfigError(
                f"params.yaml: {section}: no entry of {dataset!r}; add {dataset}: {{}} "
                "there, then run: dvc repro"
            )

    def run(self, name: str) -> Run:
        """Return the entry of the run ``name`` in params.yaml.

        Raises:
            UnknownNameError: params.yaml has no such run.
        """
        if name not in self.params.runs:
            self.params.refuse_broken(name, ("runs",))
            raise UnknownNameError("run", name, self.params.runs, "params.yaml")
        return self.params.runs[name]

    def map(self, name: str) -> MapEntry:
        """Return the entry of the map ``name`` in params.yaml.

        Raises:
            UnknownNameError: params.yaml has no such map.
        """
        if name not in self.params.maps:
            self.params.refuse_broken(name, ("maps",))
            raise UnknownNameError("map", name, self.params.maps, "params.yaml")
        return self.params.maps[name]

    def card(self, dataset: str) -> Card:
        """Return the card of the data set ``dataset``.

        Raises:
            MissingArtefactError: the data set has no card.
        """
        dataset = self.params.base(dataset)
        path = self.card_file(dataset)
        if not path.is_file():
            message = f"data set {dataset!r} has no card ({self.relative(path)})"
            known = dataset in self.params.datasets
            add = f"likewise add {dataset} --source KIND --path DIR"
            renamed = [
                card.stem for card in self.cards if card.stem not in self.params.datasets
            ]
            restore = f"git restore {self.relative(path)}"
            if renamed:  # its entry in params.yaml was renamed by hand
                restore = f"git restore params.yaml && likewise rename {renamed[0]} {dataset}"
            raise MissingArtefactError(message, restore if known else add)
        return read_card(path)

    def source(self, path: str) -> Path:
        """Resolve a path of params.yaml: relative, absolute, with ``~``, or an address."""
        place = as_path(path)
        return place if is_remote(place) else self.home / place

    def as_written(self, path: StrPath) -> str:
        """Return a path as params.yaml stores it: relative if it is inside the workspace."""
        return self.relative(as_path(path).absolute())

    def table(self, dataset: str, name: str) -> Path:
        """Return the path of a table: images, items, findings, pixels, flags or thumbs."""
        return self.tables(self.params.base(dataset)) / f"{name}{TABLE}"

    def listings(self, dataset: str) -> Path:
        """Return the folder of the kept listings of a source in an object store."""
        return self.private / "listings" / dataset

    def map_table(self, dataset: str, name: str) -> Path:
        """Return the path of the places of the contents of a data set on a map."""
        return self.tables(dataset) / "maps" / f"{name}{TABLE}"

    @property
    def thumbnails(self) -> Path:
        """The cache of thumbnails."""
        return self.cache_root / "thumbnails.sqlite"

    @property
    def paired_tests(self) -> Path:
        """The paired tests that ``leaderboard`` keeps."""
        return self.cache_root / "leaderboard.json"

    def timing(self, job: str) -> Path:
        """The measured times of a job on this machine."""
        return self.cache_root / "timings" / f"{job}.json"

    @property
    def sharded_jobs(self) -> Path:
        """The folder of all plans and parts of jobs that run in shards."""
        return self.private / "shards"

    def shards(self, job: str) -> Path:
        """The folder of the plans and parts of a job, one folder per plan."""
        return self.sharded_jobs / job

    @property
    def cards(self) -> list[Path]:
        """The existing cards, sorted."""
        files = sorted(self.catalog.glob("*.yaml"))
        return [path for path in files if not path.name.endswith(DIGESTS)]

    def _holds_records_only(self, dataset: str) -> bool:
        """Return True if a folder has only what ``remove`` keeps of a data set."""
        folder = self.tables(dataset)
        files = {path for path in folder.rglob("*") if not path.is_dir()}
        return bool(files) and files <= {*self.records(dataset)}

    def existing_outputs(self) -> Iterator[Path]:
        """Yield the existing outputs of stages and reports, and folders of no data set."""
        for pattern in (f"*{TABLE}", f"*{DIGESTS}"):
            yield from sorted(self.catalog.glob(pattern))
        broken = {entry.name for entry in self.params.broken}
        for folder in subfolders(self.catalog):
            if folder.name in broken:
                continue
            if folder.name in self.params.datasets:
                yield from sorted(self.embeddings(folder.name, "").parent.glob(f"*{TABLE}"))
                yield from sorted(self.digests(folder.name, "").parent.glob("*.yaml"))
                maps = self.map_table(folder.name, "").parent
                yield from sorted([*maps.glob(f"*{TABLE}"), *maps.glob("*.yaml")])
            elif folder.suffix != TABLE and not self._holds_records_only(folder.name):
                yield folder
        for pattern in ("*.json", "*.parquet"):
            yield from sorted(self.reports.glob(pattern))
        yield from subfolders(self.models)
