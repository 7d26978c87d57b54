"""Every artefact of a catalogue: its name, path, contract and digests, and the stage it is of.

This is the only module that names the stages of dvc.yaml.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from likewise.schema import (
    EMBEDDINGS,
    FINDINGS,
    FLAGS,
    IMAGES,
    ITEMS,
    PIXELS,
    PUBLISHED,
    QUERIES,
    Contract,
)
from likewise.storage.workspace import Workspace

MODEL_STAGES = {
    "models": "load",
    "trained": "train",
    "pretrained": "pretrain",
    "distilled": "distill",
}
"""The sections of params.yaml that name models, and the stage that makes the models of each.

The stages read different things: nothing; items and labels; items; items and the vectors of a
teacher.
"""

CHECK = "check"
"""The stage that compares a data set with the others, and so depends on all of them."""

_INGESTED = (IMAGES, ITEMS, FINDINGS)


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml for one entry of params.yaml.

    Attributes:
        name: the stage's name in dvc.yaml.
        key: the name of the entry.
        job: the name of its staging folder and lock.
        dataset: the data set or view it works on; empty for a model.
    """

    name: str
    key: str
    job: str
    dataset: str = ""

    def __str__(self) -> str:
        """The stage as one names it on DVC's command line."""
        return f"{self.name}@{self.key}"

    @property
    def command(self) -> str:
        """The command that runs the stage if it is out of date."""
        return f"dvc repro {self}"

    @property
    def forced(self) -> str:
        """The command that runs the stage in any case."""
        return f"dvc repro --force {self}"


@dataclass(frozen=True)
class Artefact:
    """A file or folder that a stage makes.

    Attributes:
        name: what it is; unique among the artefacts of a stage.
        path: where it lies.
        stage: the stage that makes it.
        contract: its columns, where it is a table; without those of vectors and of a source.
        digests: the file of its column digests, where the stage writes one.
    """

    name: str
    path: Path
    stage: Stage
    contract: Contract | None = None
    digests: Path | None = None

    @property
    def command(self) -> str:
        """The command that makes it."""
        return self.stage.command

    @property
    def files(self) -> tuple[Path, ...]:
        """The outputs that it stands for: itself, and its digests."""
        return (self.path,) if self.digests is None else (self.path, self.digests)


@dataclass(frozen=True)
class TableArtefact(Artefact):
    """A Lance table with a file of column digests."""

    contract: Contract
    digests: Path


def artefacts(ws: Workspace) -> list[Artefact]:
    """Everything that params.yaml asks for, in the order in which the stages run."""
    params = ws.params
    return [
        *(table(ws, name, kind.name) for name in params.datasets for kind in _INGESTED),
        *(found for name in params.recipes() for found in _of_model(ws, name)),
        *(embeddings(ws, e.dataset, e.model) for e in params.embeddings.values()),
        *(table(ws, name, PIXELS.name) for name in params.checks),
        *(table(ws, name, FLAGS.name) for name in params.checks),
        *(published(ws, name) for name in params.datasets),
        *(published(ws, name) for name in params.views),
        *(found for name in params.runs for found in _of_run(ws, name)),
    ]


def stages(ws: Workspace) -> dict[Stage, tuple[Path, ...]]:
    """The stages that params.yaml asks for, in the order in which they run; their outputs."""
    grouped: dict[Stage, list[Artefact]] = {}
    for artefact in artefacts(ws):
        grouped.setdefault(artefact.stage, []).append(artefact)
    return {
        stage: (*(a.path for a in made), *(a.digests for a in made if a.digests is not None))
        for stage, made in grouped.items()
    }


def tables_of(ws: Workspace, dataset: str) -> list[TableArtefact]:
    """Every table of a data set, of its views too, whether params.yaml asks for it or not."""
    views = [name for name, view in ws.params.views.items() if view.of == dataset]
    return [
        *(table(ws, dataset, kind.name) for kind in (*_INGESTED, PIXELS, FLAGS)),
        *(embeddings(ws, dataset, model) for model in ws.params.models_of(dataset)),
        *(published(ws, name) for name in (dataset, *views)),
    ]


def table(ws: Workspace, dataset: str, name: str) -> TableArtefact:
    """The table ``images``, ``items``, ``findings``, ``pixels`` or ``flags`` of a data set."""
    base = ws.params.base(dataset)
    contract, stage, digests = {
        IMAGES.name: (IMAGES, "ingest", ws.digests(base, IMAGES.name)),
        ITEMS.name: (ITEMS, "ingest", ws.digests(base, ITEMS.name)),
        FINDINGS.name: (FINDINGS, "ingest", ws.digests(base, FINDINGS.name)),
        PIXELS.name: (PIXELS, "measure", ws.pixel_digests(base)),
        FLAGS.name: (FLAGS, CHECK, ws.flag_digests(base)),
    }[name]
    made_by = Stage(stage, base, f"{stage}-{base}", base)
    return TableArtefact(name, ws.table(base, name), made_by, contract, digests)


def embeddings(ws: Workspace, dataset: str, model: str) -> TableArtefact:
    """The vectors of a data set by a model.

    Raises:
        UnknownNameError: params.yaml has no such embedding.
    """
    key = ws.params.embedding(dataset, model)
    made_by = Stage("embed", key, f"embed-{dataset}-{model}", dataset)
    path, digests = ws.embeddings(dataset, model), ws.digests(dataset, model)
    return TableArtefact(EMBEDDINGS.name, path, made_by, EMBEDDINGS, digests)


def published(ws: Workspace, name: str) -> TableArtefact:
    """The published table of a data set or view."""
    stage = "view" if name in ws.params.views else "publish"
    made_by = Stage(stage, name, f"{stage}-{name}", name)
    path, digests = ws.published(name), ws.published_digests(name)
    return TableArtefact(PUBLISHED.name, path, made_by, PUBLISHED, digests)


def model(ws: Workspace, name: str) -> Artefact:
    """The folder of a model.

    Raises:
        UnknownNameError: params.yaml has no such model.
    """
    stage = MODEL_STAGES[ws.params.section(name)]
    return Artefact("model", ws.model(name), Stage(stage, name, f"train-{name}"))


def results(ws: Workspace, run: str) -> Artefact:
    """The results of a run, a row a query.

    Raises:
        UnknownNameError: params.yaml has no such run.
    """
    made_by = Stage("evaluate", run, f"evaluate-{run}", ws.run(run).dataset)
    return Artefact(QUERIES.name, ws.queries(run), made_by, QUERIES)


def _of_model(ws: Workspace, name: str) -> Iterator[Artefact]:
    made = model(ws, name)
    yield made
    if ws.params.section(name) != "models":  # it learned, and a report says how
        for path in ws.training_files(name):
            yield Artefact(path.name, path, made.stage)


def _of_run(ws: Workspace, run: str) -> Iterator[Artefact]:
    rows = results(ws, run)
    yield Artefact("metrics", ws.metrics(run), rows.stage)
    yield Artefact("statistics", ws.statistics(run), rows.stage)
    yield Artefact("lineage", ws.lineage(run), rows.stage)
    yield rows
