"""What ``likewise evaluate`` and ``likewise score`` print for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import cell, say, table

if TYPE_CHECKING:
    from likewise.protocols.base import Evaluation


def print_evaluation(result: "Evaluation") -> None:
    """Print an evaluation: its numbers, the switches by which it counted, and notes."""
    decimals = result.protocol.get("decimals", 4)
    rows = [(name, f"{value:.{decimals}f}") for name, value in result.metrics.items()]
    table(("metric", "value"), rows)
    say("")
    say(f"protocol: {', '.join(_switches(result))}")
    for note in result.notes:
        say(f"note: {note}")


def _switches(result: "Evaluation") -> Iterator[str]:
    """The protocol's switches but those that are not set, or that the numbers' names tell."""
    for name, value in result.protocol.items():
        if isinstance(value, bool):
            yield f"{name.replace('_', ' ')} {'yes' if value else 'no'}"
        elif value is not None and not isinstance(value, list):
            yield f"{name.replace('_', ' ')} {cell(value)}"
