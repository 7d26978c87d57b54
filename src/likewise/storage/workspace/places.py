"""Where everything of a catalogue lies; the only module that spells a path."""

import os
from pathlib import Path

VERSIONED = (
    "params.yaml",
    "dvc.yaml",
    "dvc.lock",
    "catalog",
    "reports",
    "models",
    "CHANGELOG.md",
)
"""What a version consists of, besides the tables that its dvc.lock names."""

TABLE = ".lance"
"""How the name of a table ends."""

DIGESTS = ".columns.yaml"
"""How the name of a published table's digests ends."""


def subfolders(folder: Path) -> list[Path]:
    """The folders in ``folder`` that are not hidden, sorted."""
    return sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith("."))


class Places:
    """The paths of a catalogue, whether anything lies there or not."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        """Stand on ``root``; nothing is read yet.

        ``home`` is the checkout that keeps the caches: another folder than ``root`` where that
        holds what git knew of an earlier version (see ``versions.at``).
        """
        self.root = root
        self.home = home or root

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
    def pipeline(self) -> Path:
        """The stages, as DVC reads them."""
        return self.root / "dvc.yaml"

    @property
    def lock(self) -> Path:
        """What DVC recorded of the stages."""
        return self.root / "dvc.lock"

    @property
    def dvc(self) -> Path:
        """DVC's own folder."""
        return self.root / ".dvc"

    @property
    def dvc_configs(self) -> tuple[Path, Path]:
        """DVC's settings: those of the repository, and those of this checkout."""
        return self.dvc / "config", self.dvc / "config.local"

    @property
    def ignored(self) -> tuple[Path, Path]:
        """The files that say what git leaves out: of the whole folder, and of the tables."""
        return self.root / ".gitignore", self.catalog / ".gitignore"

    @property
    def attributes(self) -> Path:
        """The file that says how git merges which files."""
        return self.root / ".gitattributes"

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
    def models(self) -> Path:
        """The folder of models."""
        return self.root / "models"

    @property
    def private(self) -> Path:
        """What this checkout keeps for itself, never versioned: views, caches, staging."""
        return self.home / ".likewise"

    @property
    def scratch(self) -> Path:
        """Where links go: ``private``, or the user's caches where that is read-only."""
        own = self.private if self.private.is_dir() else self.home
        if os.access(own, os.W_OK):
            return self.private
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(caches) / "likewise" / self.home.as_posix().strip("/").replace("/", "-")

    @property
    def views(self) -> Path:
        """The folder of views: links to the files of one version of a table."""
        return self.scratch / "views"

    @property
    def revisions(self) -> Path:
        """The folder of what git knew of the catalogue at other revisions."""
        return self.scratch / "revisions"

    def part(self, md5: str) -> Path:
        """The list of those files of an output that were pulled without the others."""
        return self.scratch / "parts" / f"{md5}.json"

    def clone(self, name: str) -> Path:
        """A clone of another catalogue's repository."""
        return self.scratch / "clones" / name

    def running(self, job: str) -> Path:
        """The file that the process that does ``job`` holds a lock on."""
        return self.private / "locks" / job

    @property
    def commits(self) -> Path:
        """The folder of commits that were decided and not carried out."""
        return self.private / "commits"

    def trash(self, job: str) -> Path:
        """Where a commit puts what it replaces."""
        return self.private / "trash" / job

    @property
    def trials(self) -> Path:
        """Where a sweep over indexes builds them."""
        return self.private / "tune"

    def card_file(self, dataset: str) -> Path:
        """The card of a data set."""
        return self.catalog / f"{dataset}.yaml"

    def tables(self, dataset: str) -> Path:
        """The folder of a data set's tables, and of what people know about it."""
        return self.catalog / dataset

    def corrections(self, dataset: str) -> Path:
        """What people know better than a data set's source."""
        return self.tables(dataset) / "corrections.csv"

    def forgotten(self, dataset: str) -> Path:
        """What was taken down, and must not come back."""
        return self.tables(dataset) / "forgotten.csv"

    def embeddings(self, dataset: str, model: str) -> Path:
        """The vectors of one model."""
        return self.tables(dataset) / "embeddings" / f"{model}{TABLE}"

    def digests(self, dataset: str, name: str) -> Path:
        """The column digests of a table, or of a model's vectors."""
        return self.tables(dataset) / "columns" / f"{name}.yaml"

    def pixel_digests(self, dataset: str) -> Path:
        """The column digests of what was measured, in one folder for all data sets.

        Their check compares each data set with the others, and so depends on that folder.
        """
        return self.catalog / ".pixels" / f"{dataset}.yaml"

    def flag_digests(self, dataset: str) -> Path:
        """The column digests of the flags; not among ``digests``, which publish depends on."""
        return self.tables(dataset) / "flags.yaml"

    def changelog(self, dataset: str) -> Path:
        """The releases of a data set, in words."""
        return self.tables(dataset) / "CHANGELOG.md"

    def croissant(self, dataset: str) -> Path:
        """The last release of a data set, for programs."""
        return self.tables(dataset) / "croissant.json"

    def published(self, dataset: str) -> Path:
        """The table that people open."""
        return self.catalog / f"{dataset}{TABLE}"

    def published_digests(self, dataset: str) -> Path:
        """The column digests of the published table."""
        return self.catalog / f"{dataset}{DIGESTS}"

    def model(self, name: str) -> Path:
        """The folder of a model: weights and passport."""
        return self.models / name

    def training(self, model: str) -> Path:
        """How a model was trained: metrics, curves, device and hours."""
        return self.reports / "training" / model

    def training_files(self, model: str) -> tuple[Path, ...]:
        """The parts of that report: device and hours, metrics, curves."""
        folder = self.training(model)
        return folder / "made.json", folder / "metrics.json", folder / "plots"

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

    @property
    def indexes(self) -> Path:
        """The folder of indexes that are kept: by data set, then model, then name."""
        return self.private / "indexes"

    def index(self, dataset: str, model: str, index: str) -> Path:
        """The folder of an index that is kept, and of what is known of it."""
        return self.indexes / dataset / model / index

    def report(self, run: str, kind: str) -> Path:
        """A file of the report that people read: ``html``, ``md``, ``cmc.csv`` ..."""
        return self.reports / f"{run}.{kind}"

    def tuning(self, name: str) -> Path:
        """The picture of a sweep over indexes; its trials are beside it."""
        return self.reports / "tuning" / f"{name}.svg"

    @property
    def stagings(self) -> Path:
        """The folder of what jobs write until they commit."""
        return self.private / "staging"

    def staging(self, job: str) -> Path:
        """Where a job writes until it commits."""
        return self.stagings / job

    @property
    def unfinished(self) -> Path:
        """The folder of trainings that are not at their end, a folder a model."""
        return self.private / "trainings"

    def trainings(self, model: str) -> Path:
        """The checkpoints of trainings of a model that are not at their end, a folder each."""
        return self.unfinished / model

    def forgetting(self, dataset: str) -> Path:
        """What is still to be done of a take-down, while one is under way."""
        return self.private / "forgetting" / f"{dataset}.json"

    def stamps(self, dataset: str) -> Path:
        """What the files of a source looked like when they were last read."""
        return self.private / "stamps" / f"{dataset}.arrow"
