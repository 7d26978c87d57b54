"""The commands about results: compare two runs, and count one by every definition."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Json, Run
from likewise.cli.output import as_json, cell, say, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from likewise import ChangedQuery, Comparison, Crosswalk

SHOWN = 10
"""Queries that are named for people; --json names all."""


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A", help="A run that was evaluated.")],
    second: Annotated[
        str, typer.Argument(metavar="RUN_B", help="Another by its protocol, or RUN_A@REV.")
    ],
    json: Json = False,
) -> None:
    """Compare two runs, query by query.

    By how much they differ, whether it can be chance, and which queries changed. p is of a
    paired test that flips whole classes at random; Holm's correction is for several subsets.
    RUN@REV is a run at a git revision, a release (1.2) or in an experiment of `dvc exp`.
    """
    found = likewise.compare(first, second)
    if json:
        as_json(found)
    else:
        _print_comparison(found)


def crosswalk(
    run: Run,
    json: Json = False,
) -> None:
    """Count one run by every definition in use.

    Those of benchmarks, libraries and textbooks stand side by side, and whether published
    numbers may stand beside them.
    """
    found = likewise.crosswalk(run)
    if json:
        as_json(found)
    else:
        _print_crosswalk(found)


def _print_comparison(found: "Comparison") -> None:
    decimals = found.protocol.get("decimals", 4)
    columns = ("metric", found.first, found.second, "difference", "95 % interval", "p")
    table((*columns, "p (Holm)", "smallest difference"), _compared(found, decimals))
    say("")
    for what, changed in (("fixed", found.fixed), ("broken", found.broken)):
        say(f"{what}: {len(changed):,} queries{_named(changed, decimals)}")
    for text in found.notes:
        say(f"note: {text}")


def _compared(found: "Comparison", decimals: int) -> "Iterator[tuple[str, ...]]":
    for row in found.rows:
        one = row.difference
        yield (
            row.metric,
            f"{row.first:.{decimals}f}",
            f"{row.second:.{decimals}f}",
            f"{one.value:+.{decimals}f}",
            ""
            if math.isnan(one.low)
            else f"{one.low:+.{decimals}f} to {one.high:+.{decimals}f}",
            f"{one.p:.4f}",
            "" if row.p_holm is None else f"{row.p_holm:.4f}",
            "" if math.isnan(one.low) else f"{one.smallest_difference:.{decimals}f}",
        )


def _named(changed: "Iterable[ChangedQuery]", decimals: int) -> str:
    listed = list(changed)
    lines = [
        f"\n  {cell(one.item_id)}: "
        f"{_value(one.first, decimals)} to {_value(one.second, decimals)}"
        for one in listed[:SHOWN]
    ]
    rest = len(listed) - SHOWN
    return "".join(lines) + (f"\n  and {rest:,} more; see --json" if rest > 0 else "")


def _value(value: float | None, decimals: int) -> str:
    return "not scored" if value is None else f"{value:.{decimals}f}"


def _print_crosswalk(found: "Crosswalk") -> None:
    rows = [
        (
            row.definition,
            row.metric,
            "yes" if row.itself else "no",
            f"{row.value:.4f}",
            row.says,
            row.beside,
        )
        for row in found.rows
    ]
    columns = ("definition", "metric", "query ranked", "value", "peculiar", "published numbers")
    table(columns, rows)
    say("")
    for one in found.published.tables:
        say(f"beside {one.title}: {len(one.rows)} models; source: {one.source}")
    for reason in found.published.reasons:
        say(f"not beside: {reason}")
    for text in found.notes:
        say(f"note: {text}")
