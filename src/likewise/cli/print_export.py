"""The result of an export, as the command export prints it."""

from typing import TYPE_CHECKING

from likewise.cli.output import (
    counts,
    print_line,
    print_table,
)
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    import likewise


SHOWN = 10
"""Number of skipped items that are listed."""


def print_export(done: "likewise.Exported") -> None:
    """Print what an export wrote and the first items that it skipped."""
    print_line(
        f"{done.dataset} as {done.format}: {counted(done.items, 'item')} in "
        f"{counted(done.images, 'image')}; {counted(done.files, 'file')}, "
        f"{size_text(done.nbytes)} in {done.folder}"
    )
    if not done.left_out:
        return
    print_line(f"skipped: {len(done.left_out):,}: {counts(done.reasons())}")
    print_table(("id", "check", "detail"), done.left_out[:SHOWN])
    if len(done.left_out) > SHOWN:
        print_line(f"... and {len(done.left_out) - SHOWN:,} more: {done.folder}/left_out.jsonl")
