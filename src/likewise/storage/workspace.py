"""A checkout of a catalogue; the only place that spells a path."""

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


class Workspace:
    """The folder that holds ``catalog/`` and ``params.yaml``, and the names of all in it."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        """Stand on ``root``; nothing is read yet.

        ``home`` is the checkout that keeps the caches: another folder than ``root`` where that
        holds what git knew of an earlier version (see ``versions.at``).
        """
        self.root = root
        self.home = home or root

    @classmethod
    def find(cls, start: StrPath | None = None) -> "Workspace":
        """The workspace that ``start`` (by default the current folder) lies in.

        Raises:
            MissingArtefactError: neither the folder nor one above it is a catalogue.
        """
        here = (Path.cwd() if start is None else Path(start)).resolve()
        for folder in (here, *here.parents):
            if (folder / "params.yaml").is_file() and (folder / "catalog").is_dir():
                return cls(folder)
        raise MissingArtefactError(f"no catalogue in {here} or above it", "likewise init")

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

    def relative(self, path: Path) -> str:
        """``path`` as one would type it from the workspace's root."""
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return str(path)

    @property
    def earlier(self) -> bool:
        """Whether this is another version than the checked-out one; it is only read."""
        return self.home != self.root

    @property
    def params_file(self) -> Path:
        """What to make, and with what."""
        return self.root / "params.yaml"

    @property
    def catalog(self) -> Path:
        """The folder of cards and tables; a LanceDB database."""
        return self.root / "catalog"

    @property
    def schemas(self) -> Path:
        """The folder of column contracts."""
        return self.root / "schemas"

    @property
    def reports(self) -> Path:
        """The folder of results."""
        return self.root / "reports"

    @property
    def private(self) -> Path:
        """What this checkout keeps for itself, never versioned: views, caches, staging."""
        return self.home / ".likewise"

    def card_file(self, dataset: str) -> Path:
        """The card of a data set."""
        return self.catalog / f"{dataset}.yaml"

    def corrections(self, dataset: str) -> Path:
        """What people know better than a data set's source."""
        return self.catalog / dataset / "corrections.csv"

    def forgotten(self, dataset: str) -> Path:
        """What was taken down, and must not come back."""
        return self.catalog / dataset / "forgotten.csv"

    def table(self, dataset: str, name: str) -> Path:
        """A table: ``images``, ``items``, ``findings``, of ingest; ``pixels``; ``flags``."""
        return self.catalog / self.params.base(dataset) / f"{name}.lance"

    def embeddings(self, dataset: str, model: str) -> Path:
        """The vectors of one model."""
        return self.catalog / dataset / "embeddings" / f"{model}.lance"

    def digests(self, dataset: str, name: str) -> Path:
        """The column digests of a table, or of a model's vectors."""
        return self.catalog / dataset / "columns" / f"{name}.yaml"

    def pixel_digests(self, dataset: str) -> Path:
        """The column digests of what was measured, in one folder for all data sets.

        Their check compares each data set with the others, and so depends on that folder.
        """
        return self.catalog / ".pixels" / f"{dataset}.yaml"

    def flag_digests(self, dataset: str) -> Path:
        """The column digests of the flags; not among ``digests``, which publish depends on."""
        return self.catalog / dataset / "flags.yaml"

    def published(self, dataset: str) -> Path:
        """The table that people open."""
        return self.catalog / f"{dataset}.lance"

    def published_digests(self, dataset: str) -> Path:
        """The column digests of the published table."""
        return self.catalog / f"{dataset}.columns.yaml"

    def model(self, name: str) -> Path:
        """The folder of a model: weights and passport."""
        return self.root / "models" / name

    def training(self, model: str) -> Path:
        """How a model was trained: metrics, curves, device and hours."""
        return self.reports / "training" / model

    def page(self, dataset: str) -> Path:
        """The statistics page of a data set."""
        return self.reports / f"{dataset}.md"

    def metrics(self, run: str) -> Path:
        """The numbers of a run, and nothing else: a DVC metric."""
        return self.reports / f"{run}.json"

    def lineage(self, run: str) -> Path:
        """What the numbers of a run come from: protocol, notes, digests, passport."""
        return self.reports / f"{run}.lineage.json"

    def statistics(self, run: str) -> Path:
        """Between what the numbers of a run lie, and what difference its set can show."""
        return self.reports / f"{run}.statistics.json"

    def queries(self, run: str) -> Path:
        """The per-query results of a run."""
        return self.reports / f"{run}.parquet"

    def index(self, dataset: str, model: str, index: str) -> Path:
        """The folder of an index that is kept, and of what is known of it."""
        return self.private / "indexes" / dataset / model / index

    def report(self, run: str, kind: str) -> Path:
        """A file of the report that people read: ``html``, ``md``, ``cmc.csv`` ..."""
        return self.reports / f"{run}.{kind}"

    def tuning(self, name: str) -> Path:
        """The picture of a sweep over indexes; its trials are beside it."""
        return self.reports / "tuning" / f"{name}.svg"

    def staging(self, job: str) -> Path:
        """Where a job writes until it commits."""
        return self.private / "staging" / job

    def trainings(self, model: str) -> Path:
        """The checkpoints of trainings of a model that are not at their end, a folder each."""
        return self.private / "trainings" / model

    def forgetting(self, dataset: str) -> Path:
        """What is still to be done of a take-down, while one is under way."""
        return self.private / "forgetting" / f"{dataset}.json"

    def stamps(self, dataset: str) -> Path:
        """What the files of a source looked like when they were last read."""
        return self.private / "stamps" / f"{dataset}.arrow"
