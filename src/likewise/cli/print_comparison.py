"""Comparisons of runs and of definitions, as compare and crosswalk print them."""

import math
import sys
from typing import TYPE_CHECKING

from likewise.cli.output import (
    print_facts,
    print_line,
    print_table,
)
from likewise.cli.print_evaluation import difference_rows
from likewise.cli.text_table import cell
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from likewise import ChangedQuery, Comparison, Crosswalk

SHOWN = 10
"""Number of queries that a table lists; --json lists all."""


def print_comparison(comparison: "Comparison") -> None:
    """Print the values of both runs, their difference, and the queries that changed."""
    decimals = comparison.protocol.get("decimals", 4)
    protocol = comparison.protocol
    by = f"{protocol.get('name')}, version {protocol.get('version')}"
    print_facts([("A", comparison.first), ("B", comparison.second), ("protocol", by)])
    print_line("")
    columns = ("metric", "A", "B", "B - A", "95 % CI", "p", "minimum detectable difference")
    print_table(columns, _difference_rows(comparison, decimals))
    if any(row.p_holm is not None for row in comparison.rows):
        print_line(
            "note: p of subsets and values is corrected by Holm's method; --json has both"
        )
    print_line("")
    for change, queries in (("fixed", comparison.fixed), ("broken", comparison.broken)):
        print_line(
            f"{change}: "
            f"{counted(len(queries), 'query')}{_changed(comparison, change, decimals)}"
        )
    for text in comparison.notes:
        print_line(f"note: {text}")


def _changed(comparison: "Comparison", change: str, decimals: int) -> str:
    """Return what changed, and the queries with their main metric in both runs."""
    fixed = change == "fixed"
    queries = comparison.fixed if fixed else comparison.broken
    if not queries:
        return ""
    right = comparison.second if fixed else comparison.first
    metric = comparison.rows[0].metric
    lines = _query_lines(queries, decimals)
    return f"; the first hit is right only in {right}; values are {metric}:{lines}"


def _difference_rows(comparison: "Comparison", decimals: int) -> "Iterator[tuple[str, ...]]":
    rows = comparison.rows
    for row, shown in zip(rows, difference_rows(rows, decimals), strict=True):
        least = row.difference.smallest_difference
        yield (*shown, "" if math.isnan(row.difference.low) else f"{least:.{decimals}f}")


def _query_lines(queries: "Iterable[ChangedQuery]", decimals: int) -> str:
    listed = list(queries)
    lines = [
        f"\n  {cell(query.item_id)}: "
        f"{_value(query.first, decimals)} to {_value(query.second, decimals)}"
        for query in listed[:SHOWN]
    ]
    rest = len(listed) - SHOWN
    return "".join(lines) + (f"\n  and {rest:,} more; list all with --json" if rest > 0 else "")


def _value(value: float | None, decimals: int) -> str:
    return "not scored" if value is None else f"{value:.{decimals}f}"


def print_crosswalk(scores: "Crosswalk") -> None:
    """Print the definitions; a terminal has no column that repeats them or the notes below."""
    rows = [
        (
            row.definition,
            row.metric,
            "yes" if row.itself else "no",
            f"{row.value:.4f}",
            row.says,
            "" if row.beside == f"numbers that name {row.definition}" else row.beside,
        )
        for row in scores.rows
    ]
    columns = (
        "definition",
        "metric",
        "query in ranking",
        "value",
        "remarks",
        "published numbers",
    )
    shown = len(columns) - sys.stdout.isatty()
    print_table(columns[:shown], [row[:shown] for row in rows])
    print_line("")
    if sys.stdout.isatty():
        print_line("Compare a value only with published numbers of the same definition.")
        for text in _other_published(scores):
            print_line(text)
    for published in scores.published.tables:
        print_line(
            f"comparable with {published.title}: {counted(len(published.rows), 'model')}; "
            f"source: {published.source}"
        )
    for reason in scores.published.reasons:
        print_line(f"not comparable: {reason}")
    for text in scores.notes:
        print_line(f"note: {text}")


def _other_published(scores: "Crosswalk") -> "Iterator[str]":
    """Yield published numbers of definitions that nothing else of the output names."""
    titles = " and ".join(table.title for table in scores.published.tables)
    printed = {f"the tables of {titles}", "; ".join(scores.published.reasons)}
    for row in scores.rows:
        if row.beside not in printed and not row.beside.endswith(f" {row.definition}"):
            yield f"{row.definition}: {row.beside}"
