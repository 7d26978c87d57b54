"""A run as one page that opens offline: numbers, curves, pictures, and their origin."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from likewise import commits
from likewise.config import Run, read_yaml
from likewise.digests import Digests
from likewise.errors import MissingArtefactError, StaleArtefactError
from likewise.steps.open import Dataset, open_workspace
from likewise.steps.report import figures, numbers
from likewise.steps.report.page import Page, Pictures, as_html, as_markdown
from likewise.workspace import Workspace


@dataclass(frozen=True)
class Report:
    """The files of a report, relative to the catalogue's root."""

    run: str
    page: str
    markdown: str
    json: str
    plots: list[str]


def report(run: str, *, workspace: Path | None = None) -> Report:
    """Write the report of ``run`` into ``reports/``: a page, the same in Markdown and JSON.

    The page holds all that it shows and needs no server and no network. The curves are also
    written as CSV files, which ``dvc plots show`` and ``dvc plots diff`` read.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: it was not evaluated, or its data set is not published.
        StaleArtefactError: it was evaluated on another version of the data set.
    """
    ws = open_workspace(workspace)
    entry = ws.run(run)
    told = _told(ws, run)
    dataset = Dataset(ws, entry.dataset)
    _refuse_stale(ws, run, entry.dataset, told.lineage)
    page = _page(run, entry, told, dataset)
    with commits.alone(ws, f"report-{run}"):
        staging = commits.Staging(ws, f"report-{run}")
        for kind, curve in page.curves.items():
            curve.write_csv(staging.path(ws.report(run, f"{kind}.csv")))
        texts = {"html": as_html(page), "md": as_markdown(page), "report.json": _facts(page)}
        for kind, text in texts.items():
            commits.write_text(staging.path(ws.report(run, kind)), text)
        staging.commit()
    html, markdown, facts = (ws.relative(ws.report(run, kind)) for kind in texts)
    plots = [ws.relative(ws.report(run, f"{kind}.csv")) for kind in page.curves]
    return Report(run, html, markdown, facts, plots)


@dataclass(frozen=True)
class _Told:
    """What evaluation wrote of a run."""

    metrics: dict[str, float]
    intervals: dict[str, dict[str, float | None]]
    lineage: dict[str, Any]
    queries: pl.DataFrame


def _told(ws: Workspace, run: str) -> _Told:
    metrics, statistics, lineage = (ws.metrics(run), ws.statistics(run), ws.lineage(run))
    for path in (metrics, statistics, lineage, ws.queries(run)):
        if not path.is_file():
            what = f"run {run!r} was not evaluated ({ws.relative(path)} is not here)"
            raise MissingArtefactError(what, f"dvc repro evaluate@{run}")
    return _Told(
        json.loads(metrics.read_text(encoding="utf-8")),
        json.loads(statistics.read_text(encoding="utf-8"))["intervals"],
        json.loads(lineage.read_text(encoding="utf-8")),
        pl.read_parquet(ws.queries(run)),
    )


def _refuse_stale(ws: Workspace, run: str, dataset: str, lineage: dict[str, Any]) -> None:
    path = ws.published_digests(dataset)
    present = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns
    other = [name for name, digest in lineage["columns"].items() if present.get(name) != digest]
    if other:
        what = f"run {run!r} was evaluated before {', '.join(other)} of {dataset} changed"
        raise StaleArtefactError(what, f"dvc repro evaluate@{run}")


def _page(run: str, entry: Run, told: _Told, dataset: Dataset) -> Page:
    items, queries = dataset.items, told.queries
    vectors = dataset.vectors(entry.model)
    names = items.select("item_id", pl.coalesce("text", "label")).iter_rows()
    shown = figures.chosen(len(items))
    return Page(
        run=run,
        entry=entry,
        title=dataset.card.title,
        metrics=told.metrics,
        intervals=told.intervals,
        lineage=told.lineage,
        queries=len(queries),
        curves={
            "cmc": numbers.cumulative_match(queries),
            "precision-recall": numbers.precision_recall(queries),
        },
        first_hits=numbers.first_hits(queries),
        mix_ups=numbers.mix_ups(queries, dict(names)),
        hubs=numbers.hubs(queries),
        gap=numbers.modality_gap(vectors, items["role"]),
        places=figures.layout(vectors[shown]) if len(shown) > 3 else None,
        kinds=_kinds(items)[shown],
        pictures=Pictures.of(dataset, queries),
    )


def _kinds(items: pl.DataFrame) -> pl.Series:
    """By what the map is coloured: the first of these of which items have several."""
    for column in ("subset", "role", "split"):
        if items[column].n_unique() > 1:
            return items[column]
    return items["label"]


def _facts(page: Page) -> str:
    """The report for programs."""
    facts = {
        "run": page.run,
        "metrics": page.metrics,
        "intervals": page.intervals,
        "first_hits": dict(page.first_hits),
        "mix_ups": [asdict(pair) for pair in page.mix_ups],
        "hubness": {"skewness": page.hubs.skewness, "most": dict(page.hubs.most)},
        "modality_gap": page.gap,
        "curves": {name: curve.to_dict(as_series=False) for name, curve in page.curves.items()},
        "lineage": page.lineage,
    }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
