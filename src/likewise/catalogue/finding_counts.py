"""Findings by their check, and the first of them."""

from dataclasses import dataclass

import polars as pl

from likewise.catalogue.counting import frequencies
from likewise.errors import UnknownNameError

SHOWN = 20
"""The default number of findings that are listed."""


@dataclass(frozen=True)
class Finding:
    """One fault: the check that failed, what it is about, and what is wrong with it."""

    check: str
    path: str
    detail: str


@dataclass(frozen=True)
class Findings:
    """Findings: how many there are by their check, most first, and the first of them.

    ``of`` is the data set, or the source and the path that were looked at.
    """

    of: str
    items: int
    total: int
    counts: dict[str, int]
    first: list[Finding]


def count_findings(
    of: str, items: int, rows: pl.DataFrame, check: str | None, limit: int
) -> Findings:
    """The counts of ``rows`` (check, path, detail), and the first of them.

    Raises:
        UnknownNameError: none of them is of that ``check``.
    """
    counts = frequencies(rows["check"])
    if check is not None and check not in counts:
        raise UnknownNameError("check", check, counts, f"the findings of {of}")
    chosen = rows if check is None else rows.filter(pl.col("check") == check)
    first = chosen.sort("check", "path").head(limit).select("check", "path", "detail")
    return Findings(of, items, len(rows), counts, [Finding(*row) for row in first.iter_rows()])
