"""What ``likewise evaluate`` and ``likewise score`` print for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import cell, say, table

if TYPE_CHECKING:
    from likewise.protocols.base import Evaluation


def print_evaluation(result: "Evaluation") -> None:
    """Print an evaluation: its numbers, the switches by which it counted, and notes."""
    decimals = result.protocol.get("decimals", 4)
    columns = ("metric", "value", "95 % interval", "queries drawn", "smallest difference")
    table(columns, _rows(result, decimals))
    say("")
    say(f"protocol: {', '.join(_switches(result))}")
    for note in result.notes:
        say(f"note: {note}")


def _rows(result: "Evaluation", decimals: int) -> Iterator[tuple[str, ...]]:
    """A row a number: what it lies between (classes drawn; queries drawn), what it can show."""
    for name, value in result.metrics.items():
        found = result.statistics.get(name)
        if found is None or found.low != found.low:
            yield name, f"{value:.{decimals}f}", "", "", ""
        else:
            drawn = (found.low, found.high), (found.plain_low, found.plain_high)
            ends = (f"{low:.{decimals}f} to {high:.{decimals}f}" for low, high in drawn)
            yield (
                name,
                f"{value:.{decimals}f}",
                *ends,
                f"{found.smallest_difference:.{decimals}f}",
            )


def _switches(result: "Evaluation") -> Iterator[str]:
    """The protocol's switches but those that are not set, or that the numbers' names tell."""
    for name, value in result.protocol.items():
        if isinstance(value, bool):
            yield f"{name.replace('_', ' ')} {'yes' if value else 'no'}"
        elif value is not None and not isinstance(value, list):
            yield f"{name.replace('_', ' ')} {cell(value)}"
