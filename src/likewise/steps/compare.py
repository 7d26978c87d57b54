"""Compare two runs by their queries: by how much, whether it can be chance, and where."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.run_results import Results, read_results
from likewise.errors import DataError, bounded
from likewise.evaluation.significance import PairedDifference, holm, paired_difference
from likewise.formats.paths import StrPath
from likewise.pages import notebook


@dataclass(frozen=True)
class ComparedMetric:
    """One number of both runs.

    Attributes:
        metric: which; of a subset, as the reports call it.
        first: its value in the first run, over the queries that both have.
        second: ... in the second.
        difference: second less first; all in the units of the reports.
        p_holm: of a subset: p corrected for there being several.
    """

    metric: str
    first: float
    second: float
    difference: PairedDifference
    p_holm: float | None


@dataclass(frozen=True)
class ChangedQuery:
    """A query that one run answers well and the other does not: its value and first hit."""

    item_id: str
    label: str | None
    first: float | None
    second: float | None


@dataclass(frozen=True)
class Comparison:
    """What two runs make of the same queries.

    Attributes:
        first: the first run.
        second: the second.
        protocol: the switches by which both were counted.
        rows: the main number, that of every subset, then the other metrics.
        fixed: queries whose first hit (but for themselves) is right only in the second.
        broken: those whose is right only in the first.
        notes: what a reader should know.
    """

    first: str
    second: str
    protocol: dict[str, Any]
    rows: list[ComparedMetric]
    fixed: list[ChangedQuery]
    broken: list[ChangedQuery]
    notes: list[str]

    def __repr__(self) -> str:
        main = self.rows[0]
        values = (
            f"{main.metric} {main.first:.4f} → {main.second:.4f}, p {main.difference.p:.4f}"
        )
        test = f"p {main.difference.p:.4f}; {self._changes}"
        return f"Comparison({self.first}, {self.second}: {values}, {test})"

    def _repr_html_(self) -> str:
        heads = ("metric", self.first, self.second, "difference", "95 % confidence interval")
        table = notebook.table((*heads, "p", "p (Holm)"), map(_line, self.rows))
        lines = "".join(map(notebook.paragraph, (self._changes, *self.notes)))
        return notebook.heading(f"{self.first}, {self.second}") + table + lines

    @property
    def _changes(self) -> str:
        return f"{len(self.fixed):,} queries fixed, {len(self.broken):,} broken"


def _line(row: ComparedMetric) -> tuple[object, ...]:
    one = row.difference
    between = "" if math.isnan(one.low) else f"{one.low:+.4f} to {one.high:+.4f}"
    return row.metric, row.first, row.second, one.value, between, one.p, row.p_holm


def compare(first: str, second: str, *, workspace: StrPath | None = None) -> Comparison:
    """Compare the reports of two runs of one protocol, query by query.

    Each is a run's name, or ``RUN@REV``: the run as it was at a git revision, a release, or in
    an experiment of DVC's (``dvc exp show`` lists them). Differences are tested by flipping
    whole classes at random, as their queries are alike; the p of subsets are corrected after
    Holm.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: one of them was not evaluated.
        DataError: they are by different protocols, or have no query in common.
    """
    pair = _results(first, workspace), _results(second, workspace)
    protocol = pair[0].protocol
    if pair[1].protocol != protocol:
        named = [f"{r.run} is by {r.protocol['name']} {r.protocol['version']}" for r in pair]
        raise DataError(
            f"{', '.join(named)}: such numbers cannot be compared; "
            "likewise crosswalk RUN counts one by several definitions"
        )
    both, notes = _paired(*pair)
    rows = [*_main_rows(both, pair[0]), *_further_rows(both, pair[0])]
    return Comparison(
        first,
        second,
        protocol,
        rows,
        _changed(both, worse="right", better="right_second"),
        _changed(both, worse="right_second", better="right"),
        notes,
    )


def _results(named: str, workspace: StrPath | None) -> Results:
    """The results of ``RUN`` or ``RUN@REV``, under that name."""
    run, _, rev = named.partition("@")
    ws = open_workspace(workspace)
    if rev:
        entry = ws.params.runs.get(run)
        dataset = entry.dataset if entry else ""
        ws = open_workspace(workspace, rev=rev, dataset=dataset)
    return replace(read_results(ws, run), run=named)


def _paired(first: Results, second: Results) -> tuple[pl.DataFrame, list[str]]:
    """The queries that both runs have, a row each, and a note where others are left out."""
    mine, theirs = (r.queries.with_columns(right=r.right) for r in (first, second))
    both = mine.join(theirs, on="item_id", suffix="_second", maintain_order="left")
    if both.is_empty():
        raise DataError(f"{first.run} and {second.run} have no query in common")
    notes = [
        f"{len(results.queries) - len(both):,} of {len(results.queries):,} queries of "
        f"{results.run} are not in the other, and left out"
        for results in (first, second)
        if len(results.queries) > len(both)
    ]
    moved = both.filter(~pl.col("label").eq_missing(pl.col("label_second")))["item_id"]
    if len(moved):
        notes.append(
            f"the labels of {bounded(moved, len(moved))} differ; the first run's count"
        )
    return both, notes


def _main_rows(both: pl.DataFrame, results: Results) -> list[ComparedMetric]:
    """The main number over all queries, and over each subset's."""
    names = list(results.metrics)
    rows = [_row(both, results, names[0], "value")]
    parts = {
        name: both.filter(subset=subset)
        for subset in both["subset"].drop_nulls().unique(maintain_order=True)
        for name in names
        if name in _called(names[0], subset)
    }
    parts = {name: parts[name] for name in names if name in parts}
    found = [_row(part, results, name, "value") for name, part in parts.items()]
    corrected = holm([one.difference.p for one in found])
    for one, p in zip(found, corrected, strict=True):
        rows.append(ComparedMetric(one.metric, one.first, one.second, one.difference, p))
    return rows


def _called(main: str, subset: str) -> tuple[str, str]:
    """What reports call the main number of a subset."""
    return f"{main} {subset}", subset


def _further_rows(both: pl.DataFrame, results: Results) -> list[ComparedMetric]:
    there = [name for name in results.metrics if f"{name}_second" in both.columns]
    return [_row(both, results, name, name) for name in there]


def _row(both: pl.DataFrame, results: Results, metric: str, column: str) -> ComparedMetric:
    scale = 100 if results.protocol.get("percent") else 1
    values = [
        both[name].cast(pl.Float64).fill_null(np.nan).to_numpy() * scale
        for name in (column, f"{column}_second")
    ]
    scored = ~np.isnan(values[0] + values[1])
    if not scored.any():
        raise DataError(f"{metric}: no query is scored in both runs")
    own = pl.concat_str(pl.lit("\0"), pl.int_range(pl.len()))
    label = pl.coalesce("label", own)
    classes = both.select(label.rank("dense").cast(pl.Int64)).to_series().to_numpy()
    first, second = (float(one[scored].mean()) for one in values)
    return ComparedMetric(
        metric, first, second, paired_difference(values[0], values[1], classes), None
    )


def _changed(both: pl.DataFrame, worse: str, better: str) -> list[ChangedQuery]:
    """The queries that one run answers well and the other not, the greatest change first."""
    found = both.filter(pl.col(better) & ~pl.col(worse)).with_columns(
        change=(pl.col("value") - pl.col("value_second")).abs().fill_null(0)
    )
    ordered = found.sort("change", "item_id", descending=[True, False])
    rows = ordered.select("item_id", "label", "value", "value_second").iter_rows()
    return [ChangedQuery(*row) for row in rows]
