"""The difference of two versions, as the command diff prints it."""

from typing import TYPE_CHECKING

from likewise.cli.output import (
    print_line,
    print_note,
    print_table,
)
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Difference

SHOWN = 100
"""Maximum number of rows of a printed table; --json prints all."""


def print_difference(difference: "Difference") -> None:
    """Print the changes between two versions."""
    was, now = difference.items
    revisions = f"{difference.old} to {difference.new}"
    print_line(f"{difference.dataset}, {revisions}: {counted(was, 'item')}, then {now:,}")
    print_line(difference.summary)
    for line in difference.curated_lines:
        print_line(line)
    changes = difference.changes.head(SHOWN)
    if len(changes):
        print_table(changes.columns, changes.iter_rows())
        note_truncation(len(difference.changes), "changes")
    if difference.drift:
        rows = [
            (d.model, d.items, *(d.cosine or (None, None)), d.overlap) for d in difference.drift
        ]
        print_table(("model", "items", "mean cosine", "min cosine", "overlap@10"), rows)
    if difference.metrics:
        numbers = [(m.run, m.metric, m.was, m.now) for m in difference.metrics]
        print_table(("run", "metric", "old", "new"), numbers)


def note_truncation(number: int, what: str) -> None:
    """Print a note if a table lists not all of ``number`` rows."""
    if number > SHOWN:
        print_note(f"the first {SHOWN} of {number:,} {what}; print all with --json")
