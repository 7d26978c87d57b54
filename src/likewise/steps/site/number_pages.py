"""The pages of numbers: a run with its metrics, and the comparison of two runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from likewise.catalogue.run_comparison import ChangedQuery, Comparison
from likewise.catalogue.run_results import Results, read_results
from likewise.formats.counted_nouns import counted
from likewise.pages.rendering import render
from likewise.steps.site.site_items import PlacedItem
from likewise.storage.workspace import Workspace

SHOWN = 60
"""Maximum number of queries of a kind on the page of a comparison."""


@dataclass(frozen=True)
class RunSummary:
    """The line of a run in the overview."""

    name: str
    file: str
    protocol: str
    model: str
    metric: str
    value: str
    interval: str


@dataclass(frozen=True)
class NumberTable:
    """A table of a page; ``numbers`` are the columns of numbers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int]


@dataclass(frozen=True)
class QueryGroup:
    """Queries of one kind; those that are on the site have a picture."""

    name: str
    total: int
    tiles: Sequence[PlacedItem]


def run_summary(ws: Workspace, run: str) -> RunSummary:
    """Return the main metric of a run with its interval."""
    results = read_results(ws, run)
    metric, value = next(iter(results.metrics.items()))
    entry = ws.run(run)
    interval = _interval(results, metric)
    file = f"run-{run}.html"
    return RunSummary(run, file, entry.protocol, entry.model, metric, f"{value:.4f}", interval)


def run_page(ws: Workspace, run: str) -> str:
    """Return the page of a run: all metrics with their intervals, and its inputs."""
    results, entry = read_results(ws, run), ws.run(run)
    rows = [
        (name, f"{value:.4f}", _interval(results, name))
        for name, value in results.metrics.items()
    ]
    inputs = [
        ("data set", entry.dataset),
        ("model", entry.model),
        ("index", entry.index),
        ("protocol", f"{results.protocol['name']} {results.protocol['version']}"),
        *((f"digest of {name}", text) for name, text in results.lineage["columns"].items()),
    ]
    tables = [
        NumberTable("Metrics", ("metric", "value", "95 % confidence interval"), rows, (1, 2)),
        NumberTable("Inputs", ("input", "value"), inputs, ()),
    ]
    note = f"{counted(len(results.queries), 'query')} by {entry.model}"
    return render("site_numbers.html", title=run, note=note, tables=tables, groups=[])


def comparison_page(compared: Comparison, placed: Sequence[PlacedItem]) -> str:
    """Return the page of a comparison; only the items of the site have pictures."""
    rows = [
        (
            row.metric,
            f"{row.first:.4f}",
            f"{row.second:.4f}",
            f"{row.difference.value:+.4f}",
            _between(row.difference.low, row.difference.high),
            f"{row.difference.p:.4f}",
            "" if row.p_holm is None else f"{row.p_holm:.4f}",
        )
        for row in compared.rows
    ]
    names = ("metric", compared.first, compared.second, "difference")
    heads = (*names, "95 % confidence interval", "p", "p (Holm)")
    table = NumberTable("Metrics", heads, rows, (1, 2, 3, 4, 5, 6))
    known = {item.name: item for item in placed}
    groups = [
        _group(f"First hit right only in {compared.second}", compared.fixed, known),
        _group(f"First hit right only in {compared.first}", compared.broken, known),
    ]
    notes = " ".join(f"{note}." for note in compared.notes)
    title = f"{compared.first}, {compared.second}"
    note = f"{counted(len(compared.queries), 'common query')}. {notes}".strip()
    return render("site_numbers.html", title=title, note=note, tables=[table], groups=groups)


def _group(
    name: str, queries: Sequence[ChangedQuery], known: dict[str, PlacedItem]
) -> QueryGroup:
    tiles = []
    for query in queries[:SHOWN]:
        item = known.get(query.item_id, PlacedItem(query.item_id))
        values = f"{_value(query.first)} → {_value(query.second)}"
        tiles.append(replace(item, facts=[*filter(None, [query.label]), values]))
    return QueryGroup(name, len(queries), tiles)


def _value(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4f}"


def _interval(results: Results, metric: str) -> str:
    fields = results.statistics.get(metric) or {}
    low, high = fields.get("low"), fields.get("high")
    return "" if low is None or high is None else _between(low, high)


def _between(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.4f} to {high:.4f}"
