"""Citations for people."""

from typing import TYPE_CHECKING

from likewise.cli.output import print_command, print_line, print_note, print_table

if TYPE_CHECKING:
    from likewise import Citation


def print_citation(citation: "Citation") -> None:
    """Print paragraph, numbers and entries; missing facts are notes."""
    print_line(citation.methods)
    print_line("")
    print_table(("metric", "value", "95 % CI"), citation.number_rows())
    print_line("")
    print_command(citation.bibtex.rstrip())
    for text in citation.missing:
        print_note(f"missing: {text}")
