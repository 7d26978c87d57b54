"""Comparison of two runs on their common queries."""

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from likewise.evaluation.paired_metrics import ComparedMetric
from likewise.formats.counted_nouns import counted
from likewise.pages import notebook


@dataclass(frozen=True)
class ChangedQuery:
    """A query whose first hit is right in only one run, with its value in both runs."""

    item_id: str
    label: str | None
    first: float | None
    second: float | None


@dataclass(frozen=True)
class Comparison:
    """Comparison of two runs on their common queries.

    Attributes:
        first: name of the first run.
        second: name of the second run.
        protocol: options of the protocol of both runs.
        rows: the main metric, that of every subset, that of every value of the column by which
            a run is reported, then the other metrics.
        fixed: queries whose first hit (other than the query) is right only in the second run.
        broken: queries whose first hit is right only in the first run.
        notes: remarks on the comparison, e.g. queries that were left out.
        queries: the common queries, one row each: item_id, label and subset of the first run;
            first and second (the main metric in both runs), delta (second minus first),
            first_hit and first_hit_second (rank of the first relevant item), and side: fixed,
            broken, right (in both runs) or wrong (in both).
    """

    first: str
    second: str
    protocol: dict[str, Any]
    rows: list[ComparedMetric]
    fixed: list[ChangedQuery]
    broken: list[ChangedQuery]
    notes: list[str]
    queries: pl.DataFrame

    def __repr__(self) -> str:
        main = self.rows[0]
        values = (
            f"{main.metric} {main.first:.4f} → {main.second:.4f}, p {main.difference.p:.4f}"
        )
        return f"Comparison({self.first}, {self.second}: {values}; {self._changes})"

    def _repr_html_(self) -> str:
        heads = ("metric", self.first, self.second, "difference", "95 % confidence interval")
        table = notebook.table((*heads, "p", "p (Holm)"), map(_line, self.rows))
        lines = "".join(map(notebook.paragraph, (self._changes, *self.notes)))
        return notebook.heading(f"{self.first}, {self.second}") + table + lines

    @property
    def _changes(self) -> str:
        return f"{counted(len(self.fixed), 'query')} fixed, {len(self.broken):,} broken"


def _line(row: ComparedMetric) -> tuple[object, ...]:
    one = row.difference
    between = "" if math.isnan(one.low) else f"{one.low:+.4f} to {one.high:+.4f}"
    return row.metric, row.first, row.second, one.value, between, one.p, row.p_holm
