"""What a catalogue holds, and what one of its data sets is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

import polars as pl

from likewise.catalogue import run_results
from likewise.catalogue.catalogue import open_workspace
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport
from likewise.storage import tables, versions
from likewise.storage.config import Card, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

FIRST_LABELS = 8
"""So many labels are named as examples."""

_FACTS = ("width", "height", "nbytes", "format")

State = Literal["added", "ingested", "published"]


@dataclass(frozen=True)
class Summary:
    """A data set in a line: how far it is, how many items it has, and who embedded it."""

    dataset: str
    title: str
    state: State
    items: int | None
    models: list[str]
    runs: list[str]


@dataclass(frozen=True)
class Labels:
    """The classes of a data set: how many, items a class, items without one, and the first."""

    number: int
    fewest: int
    median: float
    most: int
    unlabelled: int
    first: list[str]


@dataclass(frozen=True)
class SplitFacts:
    """A split: its items and classes, and a digest of which items it has, and their labels.

    The same digest is the same split, whatever it is called; "" is the items in none.
    """

    split: str
    items: int
    labels: int
    digest: str | None


@dataclass(frozen=True)
class ModelFacts:
    """One model's vectors: dimensions, type, and the passport that they carry."""

    model: str
    dim: int
    dtype: str
    passport: Passport


@dataclass(frozen=True)
class RunFacts:
    """A run of params.yaml and its numbers, None where it was not evaluated yet."""

    run: str
    model: str
    index: str
    protocol: str
    metrics: dict[str, float] | None


@dataclass(frozen=True)
class Contents:
    """The counts of a data set's items and images; ranges are smallest and largest."""

    items: int = 0
    images: int = 0
    labels: Labels | None = None
    splits: dict[str, int] = field(default_factory=dict)
    subsets: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    widths: tuple[int, int] = (0, 0)
    heights: tuple[int, int] = (0, 0)
    nbytes: int = 0
    parts: list[SplitFacts] = field(default_factory=list)


@dataclass(frozen=True)
class Description:
    """All that is known of a data set; ``contents`` is None until it is ingested."""

    dataset: str
    card: Card
    path: str
    state: State
    contents: Contents | None
    findings: dict[str, int]
    models: list[ModelFacts]
    runs: list[RunFacts]
    next: str | None
    """The command that makes what is missing, None where nothing is."""


def datasets(*, rev: str | None = None, workspace: StrPath | None = None) -> list[Summary]:
    """The data sets of the catalogue, sorted by name; read from cards and digests alone.

    ``rev`` names a git revision, to see the catalogue as it was then.

    Raises:
        MissingArtefactError: there is no catalogue, or a data set has no card.
        UnknownNameError: git has no such revision.
    """
    ws = open_workspace(workspace, rev=rev)
    return [_summary(ws, name) for name in sorted(ws.params.datasets)]


def show(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> Description:
    """What ``dataset`` is and holds, whether it is only added, ingested or published.

    ``rev`` names a git revision, to see it as it was then.

    Raises:
        UnknownNameError: the catalogue has no such data set, or git no such revision.
    """
    ws = open_workspace(workspace, rev=rev, dataset=dataset)
    entry, card = ws.dataset(dataset), ws.card(dataset)
    published = versions.present(ws, ws.published(dataset))
    models = list(_models(published)) if tables.exists(published) else []
    runs = [
        RunFacts(name, run.model, run.index, run.protocol, run_results.numbers(ws, name))
        for name, run in ws.params.runs.items()
        if run.dataset == dataset
    ]
    contents = _contents(ws, dataset)
    state: State = "ingested" if contents else "added"
    if tables.exists(published):
        state = "published"
    return Description(
        dataset,
        card,
        entry.path,
        state,
        contents,
        _findings(ws, dataset),
        models,
        runs,
        _next(ws, dataset, state, models, runs),
    )


def _summary(ws: Workspace, name: str) -> Summary:
    published = _digests(ws.published_digests(name))
    ingested = _digests(ws.digests(name, "items"))
    known = published or ingested
    wanted = ws.params.models_of(name)
    return Summary(
        name,
        ws.card(name).title,
        "published" if published else "ingested" if ingested else "added",
        known.rows if known else None,
        [model for model in wanted if published and model in published.columns],
        [run for run, entry in ws.params.runs.items() if entry.dataset == name],
    )


def _digests(path: Path) -> Digests | None:
    return Digests.from_yaml(read_yaml(path), path.name) if path.is_file() else None


def _scan(path: Path) -> pl.LazyFrame | None:
    return pl.scan_lance(tables.open_table(path, "dvc repro")) if tables.exists(path) else None


def _contents(ws: Workspace, dataset: str) -> Contents | None:
    """The counts, from the published table where there is one, else from ingest's."""
    published = _scan(versions.present(ws, ws.published(dataset)))
    items = published
    if items is None:
        items = _scan(versions.present(ws, ws.table(dataset, "items")))
    images = _scan(versions.present(ws, ws.table(dataset, "images")))
    if images is None and published is not None:
        images = published.select("image_id", *_FACTS).unique("image_id")
    if items is None or images is None:
        return None
    facts = images.select(*_FACTS).collect()
    digests = _digests(ws.published_digests(dataset)) or _digests(ws.digests(dataset, "items"))
    return Contents(
        items=int(items.select(pl.len()).collect().item()),
        images=len(facts),
        labels=_labels(items),
        splits=_counts(items, "split"),
        subsets=_counts(items, "subset"),
        roles=_counts(items, "role"),
        formats=_largest_first(_counts(facts.lazy(), "format")),
        widths=_range(facts["width"]),
        heights=_range(facts["height"]),
        nbytes=int(facts["nbytes"].sum()),
        parts=_parts(items, digests),
    )


def _parts(items: pl.LazyFrame, digests: Digests | None) -> list[SplitFacts]:
    """The splits in the order of their first rows; digests as ingest wrote them."""
    counts = items.group_by("split", maintain_order=True).agg(
        pl.len(), labels=pl.col("label").drop_nulls().n_unique()
    )
    known = {name: split.digest for name, split in digests.splits.items()} if digests else {}
    return [
        SplitFacts(split or "", number, labels, known.get(split or ""))
        for split, number, labels in counts.collect().iter_rows()
    ]


def _counts(frame: pl.LazyFrame, column: str) -> dict[str, int]:
    """How often each value of ``column`` stands, in the order of their first rows."""
    there = frame.select(column).drop_nulls()
    counts = there.group_by(column, maintain_order=True).len().collect()
    return dict(counts.iter_rows())


def _largest_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _range(values: pl.Series) -> tuple[int, int]:
    return int(values.to_numpy().min()), int(values.to_numpy().max())


def _labels(items: pl.LazyFrame) -> Labels | None:
    named = items.select("label", "text").filter(pl.col("label").is_not_null())
    classes = (
        named.group_by("label", maintain_order=True)
        .agg(pl.len(), pl.col("text").first())
        .collect()
    )
    if classes.is_empty():
        return None
    counts = classes["len"]
    everything = int(items.select(pl.len()).collect().item())
    first = [
        label if text is None or text == label else f"{label} ({text})"
        for label, text in classes.head(FIRST_LABELS).select("label", "text").iter_rows()
    ]
    fewest, most = _range(counts)
    return Labels(
        len(classes), fewest, median(counts), most, everything - int(counts.sum()), first
    )


def _findings(ws: Workspace, dataset: str) -> dict[str, int]:
    findings = _scan(versions.present(ws, ws.table(dataset, "findings")))
    return {} if findings is None else _largest_first(_counts(findings, "check"))


def _models(published: Path) -> Iterator[ModelFacts]:
    table = tables.open_table(published, "dvc repro")
    for name in tables.vector_columns(table):
        column = table.schema.field(name)
        passport = Passport.from_json(column.metadata[b"passport"], f"{published.name}: {name}")
        yield ModelFacts(name, column.type.list_size, _dtype(column.type.value_type), passport)


def _dtype(value: object) -> str:
    """Arrow calls float16 "halffloat" and float32 "float"."""
    return {"halffloat": "float16", "float": "float32"}.get(str(value), str(value))


def _next(
    ws: Workspace, dataset: str, state: State, models: list[ModelFacts], runs: list[RunFacts]
) -> str | None:
    if state == "added":
        return f"dvc repro ingest@{dataset}"
    if state == "ingested" or set(ws.params.models_of(dataset)) - {m.model for m in models}:
        return f"dvc repro publish@{dataset}"
    return next((f"dvc repro evaluate@{r.run}" for r in runs if r.metrics is None), None)
