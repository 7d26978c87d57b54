"""The statistics of a data set as a page in Markdown, with a picture of its labels."""

import functools

import jinja2

from likewise.pages.markdown import literal
from likewise.pages.svg import BLUE, drawing

LABELS = 50
"""So many labels are listed; the picture shows all."""

_BARS = 240


def statistics_markdown(statistics: object, picture: str = "") -> str:
    """The page of ``Statistics``; ``picture`` is the file name of the histogram, if any."""
    return _template().render(s=statistics, picture=picture, most=LABELS)


def histogram(counts: list[int]) -> str:
    """An SVG of the items a label, most first; of many labels, means of neighbours.

    Args:
        counts: the items of every label, descending.
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
    """At most ``_BARS`` numbers: means of runs of neighbours of nearly equal length."""
    bars = min(_BARS, len(counts))
    edges = [number * len(counts) // bars for number in range(bars + 1)]
    runs = [counts[edges[n] : edges[n + 1]] for n in range(bars)]
    return [sum(run) / len(run) for run in runs]


def _cell(value: object) -> str:
    """``value`` as text of a table: nothing in it is markup, and it is one line."""
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
    # Markdown is no HTML: the filter does what must be done to texts.
    environment = jinja2.Environment(  # noqa: S701
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    return environment.get_template("describe.md")
