"""What ``likewise evaluate`` and ``likewise score`` print for people."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import cell, say, table

if TYPE_CHECKING:
    from likewise import Evaluation, Reference


def print_evaluation(result: "Evaluation") -> None:
    """Print an evaluation: its numbers, the switches by which it counted, and notes."""
    decimals = result.protocol.get("decimals", 4)
    columns = ("metric", "value", "95 % interval", "queries drawn", "smallest difference")
    table(columns, _rows(result, decimals))
    say("")
    say(f"protocol: {', '.join(_switches(result))}")
    for note in result.notes:
        say(f"note: {note}")
    for reason in result.published.reasons:
        say(f"not beside: {reason}")
    for one in result.published.tables:
        _print_published(result, one)


def _rows(result: "Evaluation", decimals: int) -> Iterator[tuple[str, ...]]:
    """A row a number: what it lies between (classes drawn; queries drawn), what it can show."""
    for name, value in result.metrics.items():
        found = result.statistics.get(name)
        if found is None or math.isnan(found.low):
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


def _print_published(result: "Evaluation", published: "Reference") -> None:
    """Ours above the published numbers of the same protocol on as many items."""
    percent = bool(result.protocol.get("percent"))
    ours = {name: result.metrics[name] for name in published.metrics if name in result.metrics}
    rows: list[tuple[object, ...]] = [("ours", "", *ours.values())]
    for row in published.rows:
        values = published.values(row, percent=percent)
        rows.append((row.model, row.trained, *(values.get(name) for name in ours)))
    say("")
    say(f"{published.title}, published: {published.source}")
    table(("model", "trained on", *ours), rows)
    if published.note:
        say(f"note: {published.note}")


def _switches(result: "Evaluation") -> Iterator[str]:
    """The protocol's switches but those that are not set, or that the numbers' names tell."""
    for name, value in result.protocol.items():
        if isinstance(value, bool):
            yield f"{name.replace('_', ' ')} {'yes' if value else 'no'}"
        elif value is not None and not isinstance(value, list):
            yield f"{name.replace('_', ' ')} {cell(value)}"
