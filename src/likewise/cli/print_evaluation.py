"""Output of ``likewise evaluate`` and ``likewise score`` as text."""

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import print_facts, print_line, print_table
from likewise.cli.text_table import cell

if TYPE_CHECKING:
    from likewise import ComparedMetric, Evaluation, Reference

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
    _print_reranking(result, decimals)
    print_line("protocol {}, version {}".format(*(result.protocol[name] for name in _TITLE)))
    print_facts([(f"  {name}", text) for name, text in _protocol_options(result)])
    for note in result.notes:
        print_line(f"note: {note}")
    for reason in result.published.reasons:
        print_line(f"not comparable: {reason}")
    for table in result.published.tables:
        _print_published(result, table)


def _print_reranking(result: "Evaluation", decimals: int) -> None:
    """Print the metrics without and with the re-ranker, if the run has one."""
    if result.reranking is None:
        return
    options = dict(result.reranking.reranker)
    kind = options.pop("kind")
    texts = {n: f"{v:g}" if isinstance(v, float) else cell(v) for n, v in options.items()}
    listed = ", ".join(f"{name} {text}" for name, text in texts.items())
    print_line(f"re-ranked by {kind}: {listed}")
    columns = ("metric", "without", "with", "difference", "95 % CI", "p")
    print_table(columns, difference_rows(result.reranking.rows, decimals))
    print_line("")


def difference_rows(
    rows: Iterable["ComparedMetric"], decimals: int
) -> Iterator[tuple[str, ...]]:
    """Yield one row per metric: both values, their difference, its interval, and p."""
    for row in rows:
        difference = row.difference
        low, high = (f"{end:+.{decimals}f}" for end in (difference.low, difference.high))
        yield (
            row.metric,
            f"{row.first:.{decimals}f}",
            f"{row.second:.{decimals}f}",
            f"{difference.value:+.{decimals}f}",
            "" if math.isnan(difference.low) else f"{low} to {high}",
            f"{difference.p if row.p_holm is None else row.p_holm:.4f}",
        )


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
