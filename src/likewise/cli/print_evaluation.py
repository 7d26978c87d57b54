"""Output of ``likewise evaluate`` and ``likewise score`` as text."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import print_facts, print_line, print_table
from likewise.cli.text_table import cell

if TYPE_CHECKING:
    from likewise import Evaluation, Reference

_TITLE = ("name", "version")
_SEEN = (*_TITLE, "decimals", "percent")
"""Options that the title or the numbers show."""

_NOTHING = ("none", "nothing", None, False)
"""Values of options that a protocol does not use."""


def print_evaluation(result: "Evaluation") -> None:
    """Print an evaluation: metrics, options of the protocol, and notes."""
    decimals = result.protocol.get("decimals", 4)
    columns = (
        "metric",
        "value",
        "95 % CI (class bootstrap)",
        "95 % CI (query bootstrap)",
        "minimum detectable difference",
    )
    print_table(columns, _rows(result, decimals))
    print_line("")
    print_line("protocol {}, version {}".format(*(result.protocol[name] for name in _TITLE)))
    print_facts([(f"  {name}", text) for name, text in _protocol_options(result)])
    for note in result.notes:
        print_line(f"note: {note}")
    for reason in result.published.reasons:
        print_line(f"not comparable: {reason}")
    for table in result.published.tables:
        _print_published(result, table)


def _rows(result: "Evaluation", decimals: int) -> Iterator[tuple[str, ...]]:
    """Yield one row per metric: value, confidence intervals, minimum detectable difference."""
    for name, value in result.metrics.items():
        statistics = result.statistics.get(name)
        if statistics is None or math.isnan(statistics.low):
            yield name, f"{value:.{decimals}f}", "", "", ""
        else:
            intervals = (
                (statistics.low, statistics.high),
                (statistics.plain_low, statistics.plain_high),
            )
            ends = (f"{low:.{decimals}f} to {high:.{decimals}f}" for low, high in intervals)
            yield (
                name,
                f"{value:.{decimals}f}",
                *ends,
                f"{statistics.smallest_difference:.{decimals}f}",
            )


def _print_published(result: "Evaluation", published: "Reference") -> None:
    """Print our numbers above published ones of the same protocol and number of items."""
    percent = bool(result.protocol.get("percent"))
    ours = {name: result.metrics[name] for name in published.metrics if name in result.metrics}
    listed = result.counts.get("listed")
    name = "ours" if listed is None else f"ours, of lists of {listed:,}: not comparable"
    rows: list[tuple[object, ...]] = [(name, "", *ours.values())]
    for row in published.rows:
        values = published.values(row, percent=percent)
        rows.append((row.model, row.trained, *(values.get(name) for name in ours)))
    print_line("")
    print_line(f"{published.title}, published: {published.source}")
    print_table(("model", "trained on", *ours), rows)
    if published.note:
        print_line(f"note: {published.note}")


def _protocol_options(result: "Evaluation") -> Iterator[tuple[str, str]]:
    """Yield the used options of the protocol that no name of a metric contains."""
    for name, value in result.protocol.items():
        if name in _SEEN or value in _NOTHING or isinstance(value, list):
            continue
        yield name.replace("_", " "), "yes" if value is True else cell(value)
