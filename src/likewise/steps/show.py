"""Describe one data set of a catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from likewise.catalogue import run_results
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.contents import Contents, contents_of, scan
from likewise.catalogue.counting import frequencies
from likewise.catalogue.summaries import State, summary_of
from likewise.errors import VersionError
from likewise.evaluation.protocols.by_column import split_metrics
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport
from likewise.pages import notebook
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import Card, Run
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class ModelFacts:
    """The vectors of one model.

    Attributes:
        model: name of the model.
        dim: number of dimensions.
        dtype: number format of the vectors.
        passport: passport of the model that made them.
    """

    model: str
    dim: int
    dtype: str
    passport: Passport


@dataclass(frozen=True)
class RunFacts:
    """A run of params.yaml and its results.

    Attributes:
        run: name of the run.
        model: its model.
        index: its index.
        protocol: its protocol.
        metrics: metric -> value; None before the run is evaluated.
        by: the column for whose values the run is reported, too; "" for none.
        by_value: value of that column -> metric -> value.
    """

    run: str
    model: str
    index: str
    protocol: str
    metrics: dict[str, float] | None
    by: str = ""
    by_value: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Description:
    """The description of a data set.

    Attributes:
        dataset: name of the data set.
        card: its card.
        path: its path in params.yaml.
        state: added, ingested or published.
        contents: counts of items and images; None before it is ingested.
        findings: check -> number of findings.
        models: models with published vectors.
        runs: runs on this data set.
        next: the command for the next step; None if nothing is missing.
        remark: of an earlier version whose data are not available: which data, and the facts
            that git has; ``contents``, ``findings`` and ``models`` are then empty.
    """

    dataset: str
    card: Card
    path: str
    state: State
    contents: Contents | None
    findings: dict[str, int]
    models: list[ModelFacts]
    runs: list[RunFacts]
    next: str | None
    remark: str = ""

    def __repr__(self) -> str:
        items = f", {counted(self.contents.items, 'item')}" if self.contents else ""
        models = ", ".join(facts.model for facts in self.models) or "none"
        size = f"{self.state}{items}, models: {models}, {counted(len(self.runs), 'run')}"
        return f"Description({self.dataset}: {size})"

    def _repr_html_(self) -> str:
        facts = {
            "state": self.state,
            "items": self.contents.items if self.contents else None,
            "source": f"{self.card.source.get('kind')}: {self.path}",
            "licence": self.card.licence.spdx,
            "citation": self.card.citation,
            "next": self.next,
        }
        models = [(m.model, m.dim, m.dtype, m.passport.backbone) for m in self.models]
        runs: list[tuple[object, ...]] = [
            (r.run, r.index, r.protocol, *next(iter((r.metrics or {}).items()), ("", None)))
            for r in self.runs
        ]
        return (
            notebook.heading(f"{self.dataset}: {self.card.title}")
            + notebook.facts(facts)
            + notebook.table(("model", "dim", "dtype", "backbone"), models)
            + notebook.table(("run", "index", "protocol", "metric", "value"), runs)
        )


def show(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> Description:
    """Describe ``dataset``: its card, state, contents, findings, models and runs.

    If the data of ``rev`` are neither in DVC's cache nor on a remote, for example after
    ``dvc gc``, its card, digests and results are described, which git has.

    Args:
        dataset: name of the data set.
        rev: git revision to describe; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: the catalogue has no such data set, or git no such revision.

    Example:
        >>> found = likewise.show("emoji")
        >>> found.state, found.contents.items, [model.dim for model in found.models]
        ('published', 23, [96])
    """
    ws = open_workspace(workspace, rev=rev, dataset=dataset)
    ws.dataset(dataset)
    try:
        return _describe(ws, dataset)
    except VersionError as error:
        if not ws.is_historic:
            raise
        return _describe_from_git(ws, dataset, error)


def _describe(ws: Workspace, dataset: str) -> Description:
    published = versions.locate(ws, ws.published(dataset))
    models = list(_models(published)) if tables.exists(published) else []
    runs = _runs(ws, dataset)
    contents = contents_of(ws, dataset)
    state: State = "ingested" if contents else "added"
    if tables.exists(published):
        state = "published"
    return Description(
        dataset,
        ws.card(dataset),
        ws.dataset(dataset).path,
        state,
        contents,
        _findings(ws, dataset),
        models,
        runs,
        _next(ws, dataset, state, models, runs),
    )


def _describe_from_git(ws: Workspace, dataset: str, error: VersionError) -> Description:
    """Describe a version without its tables, which ``error`` reports as not available."""
    summary = summary_of(ws, dataset)
    items = "" if summary.items is None else f"{counted(summary.items, 'item')}, "
    facts = f"git has: {items}vectors of {', '.join(summary.models) or 'no model'}"
    return Description(
        dataset,
        ws.card(dataset),
        ws.dataset(dataset).path,
        summary.state,
        None,
        {},
        [],
        _runs(ws, dataset),
        None,
        f"{error}; {facts}",
    )


def _runs(ws: Workspace, dataset: str) -> list[RunFacts]:
    return [
        _run_facts(name, run, run_results.read_metrics(ws, name))
        for name, run in ws.params.runs.items()
        if run.dataset == dataset
    ]


def _run_facts(name: str, run: Run, metrics: dict[str, float] | None) -> RunFacts:
    parts = (name, run.model, run.index, run.protocol)
    if metrics is None or run.by is None:
        return RunFacts(*parts, metrics, run.by or "")
    plain, by_value = split_metrics(metrics, run.by)
    return RunFacts(*parts, plain, run.by, by_value)


def _findings(ws: Workspace, dataset: str) -> dict[str, int]:
    path = versions.locate(ws, ws.table(dataset, "findings"))
    findings = scan(path)
    with tables.damage_named(path):
        return {} if findings is None else frequencies(findings.collect()["check"])


def _models(published: Path) -> Iterator[ModelFacts]:
    table = tables.open_table(published, "dvc repro")
    for name in table.vector_columns:
        passport = Passport.from_json(table.passport(name), f"{published.name}: {name}")
        yield ModelFacts(name, table.dim(name), table.dtype(name).name, passport)


def _next(
    ws: Workspace, dataset: str, state: State, models: list[ModelFacts], runs: list[RunFacts]
) -> str | None:
    if state == "added":
        return artefacts.table(ws, dataset, "items").command
    if state == "ingested" or set(ws.params.models_of(dataset)) - {m.model for m in models}:
        return artefacts.published(ws, dataset).command
    unscored = (r.run for r in runs if r.metrics is None)
    return next((artefacts.results(ws, run).command for run in unscored), None)
