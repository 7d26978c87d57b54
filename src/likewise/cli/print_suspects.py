"""Likely wrong labels for people."""

from typing import TYPE_CHECKING, Any

from likewise.cli.output import print_line, print_note, print_table
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Suspects


def print_suspects(doubtful: "Suspects", most: int) -> None:
    """Print the first suspects, and the items that were not judged."""
    print_line(
        f"{doubtful.dataset}: {len(doubtful):,} of "
        f"{counted(doubtful.judged, 'judged label', 'is', 'are')} doubtful by {doubtful.model}"
    )
    rows = doubtful.rows.head(most).to_dicts()
    print_table(("item", "label", "suggested", "quality", "by", "nearest"), map(_row, rows))
    if len(doubtful) > most:
        print_note(f"and {len(doubtful) - most:,} more; list all with --most or --json")
    if doubtful.unlabelled:
        print_note(f"without a label, not judged: {counted(doubtful.unlabelled, 'item')}")
    if doubtful.alone:
        print_note(f"alone with their label, not judged: {counted(doubtful.alone, 'item')}")


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    names = {"outvoted": "neighbours", "confident": "confident"}
    methods = ", ".join(name for key, name in names.items() if row[key])
    nearest = row["neighbours"][0]["item_id"] if row["neighbours"] else ""
    quality = f"{row['quality']:.3f}"
    return row["item_id"], row["label"], row["suggested"], quality, methods, nearest
