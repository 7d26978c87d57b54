"""The artefacts of a catalogue: name, path, contract, digests and stage.

Only this module names the stages of dvc.yaml.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from likewise.storage.config import FITTED_SECTIONS, MIXED
from likewise.storage.schema import (
    EMBEDDINGS,
    FINDINGS,
    FLAGS,
    IMAGES,
    ITEMS,
    MAPS,
    PIXELS,
    PUBLISHED,
    QUERIES,
    THUMBS,
    Contract,
)
from likewise.storage.workspace import Workspace

MODEL_STAGES = {
    "models": "load",
    "functions": "define",
    "trained": "train",
    "pretrained": "pretrain",
    "distilled": "distill",
    "aligned": "align",
    "adapted": "adapt",
    MIXED: MIXED,
}
"""Section of params.yaml with models -> the stage that creates them.

The inputs of the stages differ: none; the source of a function; items and labels; items; items
and the vectors of a teacher; items, labels and texts; items, labels and the vectors of the
initial model; those of any recipe, for several data sets. DVC accepts no lists in templates, so
each of the last has a stage ``mixed-NAME``.
"""

VIEW_STAGES = {"views": "view", "filtered": "filter", "selected": "select"}
"""Section of params.yaml with views -> the stage that writes their tables.

Each stage depends only on what the entries of its section need: flags, or a selection.
"""

PREPARE = "prepare"
"""The stage that creates the records that people write; it does not change existing ones."""

CHECK = "check"
"""The stage that compares a data set with all others and depends on them."""

EVALUATE = "evaluate"
"""The stage that scores a run."""

MAP = "map"
"""The stage that places the contents of a data set on a plane."""

_INGESTED = (IMAGES, ITEMS, FINDINGS)


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml for one entry of params.yaml.

    Attributes:
        name: the stage's name in dvc.yaml.
        key: the name of the entry.
        job: the name of its staging folder and lock file.
        dataset: its data set or view; empty for a model.
    """

    name: str
    key: str
    job: str
    dataset: str = ""

    def __str__(self) -> str:
        """Return the name of the stage on the command line of DVC."""
        return f"{self.name}-{self.key}" if self.name == MIXED else f"{self.name}@{self.key}"

    @property
    def command(self) -> str:
        """The command that runs the stage if it is out of date."""
        return f"dvc repro {self}"

    @property
    def forced(self) -> str:
        """The command that runs the stage even if it is up to date."""
        return f"dvc repro --force {self}"


@dataclass(frozen=True)
class Artefact:
    """A file or folder that a stage writes.

    Attributes:
        name: its name, unique among the artefacts of a stage.
        path: its path.
        stage: the stage that writes it.
        contract: the columns of a table, except those of vectors and of a source.
        digests: the file of its column digests, if the stage writes one.
    """

    name: str
    path: Path
    stage: Stage
    contract: Contract | None = None
    digests: Path | None = None

    @property
    def command(self) -> str:
        """The command that creates it."""
        return self.stage.command

    @property
    def files(self) -> tuple[Path, ...]:
        """The outputs of the artefact in dvc.yaml: the artefact and its digests."""
        return (self.path,) if self.digests is None else (self.path, self.digests)


@dataclass(frozen=True)
class TableArtefact(Artefact):
    """A Lance table with a file of column digests."""

    contract: Contract
    digests: Path


def artefacts(ws: Workspace) -> list[Artefact]:
    """Return the artefacts of all entries of params.yaml, in the order of the stages."""
    params = ws.params
    return [
        *(record(ws, name) for name in params.datasets),
        *(table(ws, name, kind.name) for name in params.datasets for kind in _INGESTED),
        *(a for name in params.recipes() for a in _model_artefacts(ws, name)),
        *(embeddings(ws, e.dataset, e.model) for e in params.embeddings.values()),
        *(
            a
            for e in params.imported.values()
            for a in _import_artefacts(ws, e.dataset, e.model)
        ),
        *(table(ws, name, PIXELS.name) for name in params.checks),
        *(table(ws, name, FLAGS.name) for name in params.checks),
        *(published(ws, name) for name in params.datasets),
        *(published(ws, name) for name in params.all_views),
        *(map_table(ws, name) for name in params.maps),
        *(table(ws, name, THUMBS.name) for name in params.thumbs),
        *(a for name in params.runs for a in _run_artefacts(ws, name)),
    ]


def stages(ws: Workspace) -> dict[Stage, tuple[Path, ...]]:
    """Return the stages of all entries of params.yaml in their order, with their outputs."""
    grouped: dict[Stage, list[Artefact]] = {}
    for artefact in artefacts(ws):
        grouped.setdefault(artefact.stage, []).append(artefact)
    return {
        stage: (*(a.path for a in made), *(a.digests for a in made if a.digests is not None))
        for stage, made in grouped.items()
    }


def index_job(dataset: str, model: str, index: str) -> str:
    """Return the name of the job that builds an index, which no stage does."""
    return f"index-{dataset}-{model}-{index}"


def index_jobs(ws: Workspace, *datasets: str) -> dict[str, tuple[str, str, str]]:
    """Return the jobs of the indexes of data sets and views -> data set, model and index."""
    return {
        index_job(dataset, model, index): (dataset, model, index)
        for dataset in datasets
        for model in ws.params.models_of(dataset)
        for index in ws.params.indexes
    }


def record(ws: Workspace, dataset: str) -> Artefact:
    """Return the record of take-downs of a data set, which git stores."""
    producer = Stage(PREPARE, dataset, f"{PREPARE}-{dataset}", dataset)
    return Artefact("forgotten", ws.forgotten(dataset), producer)


def tables_of(ws: Workspace, dataset: str) -> list[TableArtefact]:
    """Return all possible tables of a data set and its views."""
    views = [name for name, view in ws.params.all_views.items() if view.of == dataset]
    return [
        *(table(ws, dataset, kind.name) for kind in (*_INGESTED, PIXELS, FLAGS, THUMBS)),
        *(embeddings(ws, dataset, model) for model in ws.params.models_of(dataset)),
        *(map_table(ws, n) for n, entry in ws.params.maps.items() if entry.dataset == dataset),
        *(published(ws, name) for name in (dataset, *views)),
    ]


def table(ws: Workspace, dataset: str, name: str) -> TableArtefact:
    """Return the table images, items, findings, pixels, flags or thumbs of a data set."""
    base = ws.params.base(dataset)
    contract, stage, digests = {
        IMAGES.name: (IMAGES, "ingest", ws.digests(base, IMAGES.name)),
        ITEMS.name: (ITEMS, "ingest", ws.digests(base, ITEMS.name)),
        FINDINGS.name: (FINDINGS, "ingest", ws.digests(base, FINDINGS.name)),
        PIXELS.name: (PIXELS, "measure", ws.pixel_digests(base)),
        FLAGS.name: (FLAGS, CHECK, ws.flag_digests(base)),
        THUMBS.name: (THUMBS, "thumbs", ws.table(base, THUMBS.name).with_suffix(".yaml")),
    }[name]
    producer = Stage(stage, base, f"{stage}-{base}", base)
    return TableArtefact(name, ws.table(base, name), producer, contract, digests)


def embeddings(ws: Workspace, dataset: str, model: str) -> TableArtefact:
    """Return the table of the vectors of a data set by a model.

    Raises:
        UnknownNameError: params.yaml has no such embedding.
    """
    key = ws.params.embedding(dataset, model)
    stage = "import" if key in ws.params.imported else "embed"
    producer = Stage(stage, key, f"{stage}-{dataset}-{model}", dataset)
    path, digests = ws.embeddings(dataset, model), ws.digests(dataset, model)
    return TableArtefact(EMBEDDINGS.name, path, producer, EMBEDDINGS, digests)


def map_table(ws: Workspace, name: str) -> TableArtefact:
    """Return the table of the places of a map.

    Raises:
        UnknownNameError: params.yaml has no such map.
    """
    dataset = ws.map(name).dataset
    producer = Stage(MAP, name, f"{MAP}-{name}", dataset)
    path = ws.map_table(dataset, name)
    return TableArtefact(MAPS.name, path, producer, MAPS, path.with_suffix(".yaml"))


def published(ws: Workspace, name: str) -> TableArtefact:
    """Return the published table of a data set or view."""
    sections = (section for section in VIEW_STAGES if name in getattr(ws.params, section))
    stage = VIEW_STAGES.get(next(sections, ""), "publish")
    verb = "publish" if stage == "publish" else "view"
    producer = Stage(stage, name, f"{verb}-{name}", name)
    path, digests = ws.published(name), ws.published_digests(name)
    return TableArtefact(PUBLISHED.name, path, producer, PUBLISHED, digests)


def model(ws: Workspace, name: str) -> Artefact:
    """Return the folder of a model.

    Raises:
        UnknownNameError: params.yaml has no such model.
    """
    stage = MODEL_STAGES[ws.params.section(name)]
    return Artefact("model", ws.model(name), Stage(stage, name, f"train-{name}"))


def results(ws: Workspace, run: str) -> Artefact:
    """Return the per-query results of a run.

    Raises:
        UnknownNameError: params.yaml has no such run.
    """
    producer = Stage(EVALUATE, run, f"{EVALUATE}-{run}", ws.run(run).dataset)
    return Artefact(QUERIES.name, ws.queries(run), producer, QUERIES)


def _model_artefacts(ws: Workspace, name: str) -> Iterator[Artefact]:
    made = model(ws, name)
    yield made
    if ws.params.section(name) in FITTED_SECTIONS:  # these models have a training report
        for path in ws.training_files(name):
            yield Artefact(path.name, path, made.stage)


def _import_artefacts(ws: Workspace, dataset: str, model: str) -> Iterator[Artefact]:
    vectors = embeddings(ws, dataset, model)
    yield vectors
    yield Artefact("vector findings", ws.vector_findings(dataset, model), vectors.stage)


def _run_artefacts(ws: Workspace, run: str) -> Iterator[Artefact]:
    rows = results(ws, run)
    yield Artefact("metrics", ws.metrics(run), rows.stage)
    yield Artefact("statistics", ws.statistics(run), rows.stage)
    yield Artefact("lineage", ws.lineage(run), rows.stage)
    yield rows
