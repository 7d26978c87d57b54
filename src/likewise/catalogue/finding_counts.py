"""Count findings by check, and list the first of them."""

from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.counting import frequencies
from likewise.errors import UnknownNameError

SHOWN = 20
"""Default number of findings that are listed."""


@dataclass(frozen=True)
class Finding:
    """One finding: the check that failed, the path that it concerns, and a description."""

    check: str
    path: str
    detail: str


@dataclass(frozen=True)
class Findings:
    """Numbers of findings by check, most frequent first, and the first findings.

    ``of`` is the data set, or the source and its path. ``judged`` is the number of findings
    that are left out because they have a verdict.
    """

    of: str
    items: int
    total: int
    counts: dict[str, int]
    first: list[Finding]
    judged: int = field(default=0, kw_only=True)


def count_findings(
    of: str, items: int, rows: pl.DataFrame, check: str | None, limit: int
) -> Findings:
    """Count the findings ``rows`` (check, path, detail), and list the first ``limit``.

    Args:
        of: owner of the findings, for messages: a data set, or a source and its path.
        items: number of items.
        rows: the findings.
        check: list only the findings of this check.
        limit: maximum number of listed findings.

    Raises:
        UnknownNameError: there is no finding of ``check``.
    """
    counts = frequencies(rows["check"])
    if check is not None and check not in counts:
        raise UnknownNameError("check", check, counts, f"the findings of {of}")
    chosen = rows if check is None else rows.filter(pl.col("check") == check)
    first = chosen.sort("check", "path").head(limit).select("check", "path", "detail")
    return Findings(of, items, len(rows), counts, [Finding(*row) for row in first.iter_rows()])
