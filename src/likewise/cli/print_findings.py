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
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Findings, Validated


def print_findings(report: "Findings", *, json: bool, given: Sequence[str] = ()) -> None:
    """Print the number of findings per check, and the first of them."""
    if json:
        print_json(report)
        return
    print_line(
        f"{report.of}: {counted(report.items, 'item')}, {counted(report.total, 'finding')}"
    )
    if report.judged:
        print_note(f"{counted(report.judged, 'finding')} with a verdict left out; see --judged")
    if not report.total:
        return
    print_line(counts(report.counts))
    print_line("")
    rows = [(f.check, f.path, f.detail) for f in report.first]
    print_table(("check", "path", "detail"), rows, given=given)
    if len(report.first) < report.total:
        print_note(f"the first {len(report.first):,}; list more with --limit N or --check NAME")


def print_preview(report: "Validated") -> None:
    """Print the first items as they would be read, and what is left over."""
    if report.rows:
        names = list(report.rows[0])
        print_line("")
        print_table(tuple(names), [[_cell(row[name]) for name in names] for row in report.rows])
        if len(report.rows) < report.items:
            print_note(f"the first {len(report.rows):,} of {counted(report.items, 'item')}")
        if report.box_unit == "fractions":
            print_note("boxes are fractions of the image here; ingest turns them into pixels")
    for part in report.left_over:
        rest = part.count - len(part.examples)
        more = f" and {rest:,} more" if rest > 0 else ""
        print_line(f"{part.what}: {part.count:,}: {', '.join(part.examples)}{more}")


def _cell(value: object) -> str:
    """Return a value as text; numbers of boxes with as few digits as they have."""
    if isinstance(value, list):
        return " ".join(f"{v:.10g}" if isinstance(v, float) else str(v) for v in value)
    return "" if value is None else str(value)
