"""Statistics of a data set as Markdown, with a histogram of its labels."""

import functools

import jinja2

from likewise.pages.markdown import literal
from likewise.pages.svg import BLUE, drawing

LABELS = 50
"""Maximum number of labels that are listed; the histogram shows all."""

_BARS = 240


def statistics_markdown(statistics: object, picture: str = "") -> str:
    """Return the page of ``Statistics``; ``picture``: file name of the histogram, or ""."""
    return _template().render(s=statistics, picture=picture, most=LABELS)


def histogram(counts: list[int]) -> str:
    """Draw the items per label, in descending order; of many labels, means of neighbours.

    Args:
        counts: number of items of every label, in descending order.

    Returns:
        An SVG.
    """
    bars = _merged(counts)
    with drawing(7.2, 2.4, paper="white") as (axes, drawn):
        axes.stairs(bars, fill=True, color=BLUE)
        axes.set_xticks([])
        axes.set(
            title=f"{len(counts):,} labels, {counts[-1]:,} to {counts[0]:,} items each",
            xlabel="labels, most items first",
            ylabel="items",
        )
    return drawn.svg


def _merged(counts: list[int]) -> list[float]:
    """Return at most ``_BARS`` numbers: means of runs of neighbours of similar length."""
    bars = min(_BARS, len(counts))
    edges = [number * len(counts) // bars for number in range(bars + 1)]
    runs = [counts[edges[n] : edges[n + 1]] for n in range(bars)]
    return [sum(run) / len(run) for run in runs]


def _cell(value: object) -> str:
    """Return ``value`` as the text of a table cell: one line, markup escaped."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return literal(str(value))


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("likewise.pages", "templates")
    # The output is Markdown, not HTML: the filter ``cell`` escapes texts.
    environment = jinja2.Environment(  # noqa: S701
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    return environment.get_template("describe.md")
