"""The paths of a catalogue; no other module spells one."""

import os
from pathlib import Path

from likewise.storage.workspace.record_places import RecordPlaces

VERSIONED = (
    "params.yaml",
    "dvc.yaml",
    "dvc.lock",
    "catalog",
    "reports",
    "models",
    "CHANGELOG.md",
)
"""Files and folders of a version, besides the tables in its dvc.lock."""

TABLE = ".lance"
"""Suffix of a table."""

DIGESTS = ".columns.yaml"
"""Suffix of the digests of a published table."""


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in ``folder`` that are not hidden, sorted."""
    return sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith("."))


class Places(RecordPlaces):
    """The paths of a catalogue, whether they exist or not."""

    def __init__(self, root: Path, home: Path | None = None) -> None:
        """Set the root folder; nothing is read.

        ``home`` is the checkout with the caches. It differs from ``root`` if ``root`` holds the
        files of another revision (see ``versions.workspace_at``).
        """
        self.root = root
        self.home = home or root

    def relative(self, path: Path) -> str:
        """Return ``path`` relative to the root of the workspace, if it is inside."""
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return str(path)

    @property
    def is_historic(self) -> bool:
        """True for another revision than the checkout, which is read-only."""
        return self.home != self.root

    @property
    def params_file(self) -> Path:
        """The file params.yaml."""
        return self.root / "params.yaml"

    @property
    def pipeline(self) -> Path:
        """The file dvc.yaml with the stages."""
        return self.root / "dvc.yaml"

    @property
    def lock(self) -> Path:
        """The file dvc.lock with the recorded stages."""
        return self.root / "dvc.lock"

    @property
    def dvc(self) -> Path:
        """The folder of DVC."""
        return self.root / ".dvc"

    @property
    def dvc_configs(self) -> tuple[Path, Path]:
        """The settings of DVC: of the repository and of this checkout."""
        return self.dvc / "config", self.dvc / "config.local"

    @property
    def dvc_state(self) -> tuple[Path, ...]:
        """Files of DVC that belong to this checkout only; git must not track them."""
        return self.dvc / "tmp", self.dvc / "cache", self.dvc_configs[1]

    @property
    def written(self) -> tuple[Path, ...]:
        """Files and folders in which commands write."""
        folders = (*(self.root / name for name in VERSIONED), self.schemas, self.dvc)
        return *folders, *self.ignored, self.attributes

    @property
    def ignored(self) -> tuple[Path, Path]:
        """The .gitignore files of the root and of the tables."""
        return self.root / ".gitignore", self.catalog / ".gitignore"

    @property
    def attributes(self) -> Path:
        """The file .gitattributes, which sets the merge drivers."""
        return self.root / ".gitattributes"

    def record(self, name: str) -> Path:
        """A private file of this checkout, such as the list of outputs that pulls left out."""
        return self.private / name

    @property
    def catalog(self) -> Path:
        """The folder of cards and tables, a LanceDB database."""
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
        """The unversioned folder of this checkout: views, caches, staging."""
        return self.home / ".likewise"

    @property
    def cache_root(self) -> Path:
        """The folder of views: ``private``, or the user's cache folder if that is read-only."""
        own = self.private if self.private.is_dir() else self.home
        if os.access(own, os.W_OK):
            return self.private
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(caches) / "likewise" / self.home.as_posix().strip("/").replace("/", "-")

    @property
    def views(self) -> Path:
        """The folder of views: links to the files of one version of a table."""
        return self.cache_root / "views"

    @property
    def revisions(self) -> Path:
        """The folder of extracted files of other git revisions."""
        return self.cache_root / "revisions"

    def pulled_files(self, md5: str) -> Path:
        """The list of the files of an output that were pulled separately."""
        return self.cache_root / "parts" / f"{md5}.json"

    def clone(self, name: str) -> Path:
        """The clone of the repository of another catalogue."""
        return self.cache_root / "clones" / name

    def lock_file(self, job: str) -> Path:
        """The lock file of ``job``."""
        return self.private / "locks" / job

    @property
    def commits(self) -> Path:
        """The folder of commits that are not completed yet."""
        return self.private / "commits"

    def trash(self, job: str) -> Path:
        """The folder for the files that a commit replaces."""
        return self.private / "trash" / job

    @property
    def trials(self) -> Path:
        """The folder in which a sweep over indexes builds them."""
        return self.private / "tune"

    def card_file(self, dataset: str) -> Path:
        """The card of a data set."""
        return self.catalog / f"{dataset}.yaml"

    def tables(self, dataset: str) -> Path:
        """The folder of the tables, corrections and releases of a data set."""
        return self.catalog / dataset

    def embeddings(self, dataset: str, model: str) -> Path:
        """The vectors of one model."""
        return self.tables(dataset) / "embeddings" / f"{model}{TABLE}"

    def vector_findings(self, dataset: str, model: str) -> Path:
        """The findings of an import of vectors."""
        return self.embeddings(dataset, model).with_suffix(".findings.json")

    def digests(self, dataset: str, name: str) -> Path:
        """The column digests of a table or of the vectors of a model."""
        return self.tables(dataset) / "columns" / f"{name}.yaml"

    def pixel_digests(self, dataset: str) -> Path:
        """The column digests of the pixels: one folder, on which all checks depend."""
        return self.catalog / ".pixels" / f"{dataset}.yaml"

    def flag_digests(self, dataset: str) -> Path:
        """The column digests of the flags, apart from ``digests``, on which publish depends."""
        return self.tables(dataset) / "flags.yaml"

    def changelog(self, dataset: str) -> Path:
        """The changelog of the releases of a data set."""
        return self.tables(dataset) / "CHANGELOG.md"

    def croissant(self, dataset: str) -> Path:
        """The Croissant file of the last release of a data set."""
        return self.tables(dataset) / "croissant.json"

    def published(self, dataset: str) -> Path:
        """The published table of a data set."""
        return self.catalog / f"{dataset}{TABLE}"

    def published_digests(self, dataset: str) -> Path:
        """The column digests of the published table."""
        return self.catalog / f"{dataset}{DIGESTS}"

    def model(self, name: str) -> Path:
        """The folder of a model, with weights and passport."""
        return self.models / name

    def training(self, model: str) -> Path:
        """The folder of the training report of a model."""
        return self.reports / "training" / model

    def training_files(self, model: str) -> tuple[Path, ...]:
        """The files of the training report: device and hours, metrics, curves."""
        folder = self.training(model)
        return folder / "made.json", folder / "metrics.json", folder / "plots"

    def page(self, dataset: str) -> Path:
        """The statistics page of a data set."""
        return self.reports / f"{dataset}.md"

    def metrics(self, run: str) -> Path:
        """The metrics of a run, a DVC metrics file."""
        return self.reports / f"{run}.json"

    def lineage(self, run: str) -> Path:
        """The provenance of the metrics of a run: protocol, notes, digests, passport."""
        return self.reports / f"{run}.lineage.json"

    def statistics(self, run: str) -> Path:
        """The confidence intervals and minimum detectable differences of a run."""
        return self.reports / f"{run}.statistics.json"

    def queries(self, run: str) -> Path:
        """The per-query results of a run."""
        return self.reports / f"{run}.parquet"

    @property
    def indexes(self) -> Path:
        """The folder of stored indexes: by data set, model and name."""
        return self.private / "indexes"

    def index(self, dataset: str, model: str, index: str) -> Path:
        """The folder of a stored index and its measurements."""
        return self.indexes / dataset / model / index

    def report(self, run: str, kind: str) -> Path:
        """A file of the report of a run: ``html``, ``md``, ``cmc.csv`` ..."""
        return self.reports / f"{run}.{kind}"

    def tuning(self, name: str) -> Path:
        """The plot of a sweep over indexes; its trials are in the same folder."""
        return self.reports / "tuning" / f"{name}.svg"

    @property
    def stagings(self) -> Path:
        """The folder of all staging folders."""
        return self.private / "staging"

    def staging(self, job: str) -> Path:
        """The staging folder of a job."""
        return self.stagings / job

    @property
    def unfinished_trainings(self) -> Path:
        """The folder of unfinished trainings, one folder per model."""
        return self.private / "trainings"

    def trainings(self, model: str) -> Path:
        """The folder of the unfinished trainings of a model, one folder per training."""
        return self.unfinished_trainings / model

    def forgetting(self, dataset: str) -> Path:
        """The record of an unfinished removal of items."""
        return self.private / "forgetting" / f"{dataset}.json"

    def stamps(self, dataset: str) -> Path:
        """The sizes and times of the files of a source when they were last read."""
        return self.private / "stamps" / f"{dataset}.arrow"
