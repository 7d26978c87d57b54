"""Findings, as the commands findings and validate print them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from likewise.cli.output import (
    counts,
    print_json,
    print_line,
    print_note,
    print_table,
)

if TYPE_CHECKING:
    from likewise import Findings


def print_findings(report: "Findings", *, json: bool, given: Sequence[str] = ()) -> None:
    """Print the number of findings per check, and the first of them."""
    if json:
        print_json(report)
        return
    print_line(f"{report.of}: {report.items:,} items, {report.total:,} findings")
    if not report.total:
        return
    print_line(counts(report.counts))
    print_line("")
    rows = [(f.check, f.path, f.detail) for f in report.first]
    print_table(("check", "path", "detail"), rows, given=given)
    if len(report.first) < report.total:
        print_note(f"the first {len(report.first):,}; list more with --limit N or --check NAME")
