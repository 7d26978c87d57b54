"""Statistics of a data set as Markdown and HTML, with a histogram of its labels."""

import functools
from collections.abc import Sequence

import jinja2

from likewise.formats.counted_nouns import counted
from likewise.pages.markdown import literal
from likewise.pages.rendering import inline_svg, render, same_digits
from likewise.pages.svg import BLUE, drawing

Rows = Sequence[Sequence[object]]
TableOfPage = tuple[str, Sequence[str], Rows]
"""Title, column heads and rows of a table."""

LABELS = 50
"""Maximum number of labels that are listed; the histogram shows all."""

_BARS = 240

_UNITS = {
    "width": "width (pixels)",
    "height": "height (pixels)",
    "aspect ratio": "aspect ratio (width / height)",
    "kB": "file size (kB)",
    "box width": "width (pixels)",
    "box height": "height (pixels)",
    "share of the image": "share of the image's area (0 to 1)",
}
"""Quantity -> its name and unit on a page."""


def statistics_markdown(statistics: object, picture: str = "") -> str:
    """Return the page of ``Statistics``; ``picture``: file name of the histogram, or ""."""
    return _template().render(s=statistics, picture=picture, most=LABELS)


def statistics_html(title: str, facts: Rows, tables: Sequence[TableOfPage], svg: str) -> str:
    """Return the page of ``Statistics``: facts, tables, and the histogram after the labels.

    Args:
        title: title of the data set.
        facts: names and values; empty values are left out.
        tables: the tables; empty ones are left out.
        svg: the histogram; "" for none.
    """
    return render(
        "statistics.html",
        title=title,
        facts=[(name, format_value(v)) for name, v in facts if v not in (None, "")],
        tables=[(caption, heads, *_texts(rows)) for caption, heads, rows in tables if rows],
        svg=svg and inline_svg(svg, "labels"),
    )


def histogram(counts: list[int], width: float = 7.2, paper: str = "white") -> str:
    """Plot the items per label in descending order; many labels are averaged in groups.

    Args:
        counts: number of items of every label, in descending order.
        width: width in inches.
        paper: background colour.

    Returns:
        An SVG.
    """
    bars, items = _merged(counts), counted(counts[0], "item")
    with drawing(width, 2.4, paper=paper) as (axes, drawn):
        axes.stairs(bars, fill=True, color=BLUE)
        axes.set_xticks([])
        axes.set(
            title=f"{counted(len(counts), 'label')}, {counts[-1]:,} to {items} each",
            xlabel="labels by descending number of items",
            ylabel="items",
        )
    return drawn.svg


def _merged(counts: list[int]) -> list[float]:
    """Return at most ``_BARS`` numbers: means of groups of neighbours of similar size."""
    bars = min(_BARS, len(counts))
    edges = [number * len(counts) // bars for number in range(bars + 1)]
    runs = [counts[edges[n] : edges[n + 1]] for n in range(bars)]
    return [sum(run) / len(run) for run in runs]


def format_value(value: object) -> str:
    """Format a cell: integers with separators, other numbers with four digits, None as ""."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def with_unit(name: str) -> str:
    """Return the name of a quantity with its unit."""
    return _UNITS.get(name, name)


def _texts(rows: Rows) -> tuple[list[list[str]], list[int]]:
    """Return the cells as texts, and the numbers of the columns that hold numbers."""
    numbers = [n for n, cell in enumerate(rows[0]) if isinstance(cell, int | float)]
    return [_row_texts(row, numbers) for row in rows], numbers


def _row_texts(row: Sequence[object], numbers: Sequence[int]) -> list[str]:
    """Return the cells as texts; the numbers of a row have equal decimals."""
    texts = [format_value(cell) for cell in row]
    values = [cell for cell in row if isinstance(cell, int | float)]
    for column, text in zip(numbers, same_digits(values, 4), strict=True):
        texts[column] = text
    return texts


def _cell(value: object) -> str:
    """Return ``value`` as the text of a table cell: one line, markup escaped."""
    text = format_value(value)
    return literal(text) if isinstance(value, str) else text


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("likewise.pages", "templates")
    # The output is Markdown, not HTML: the filter ``cell`` escapes texts.
    environment = jinja2.Environment(  # noqa: S701
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    environment.filters["with_unit"] = with_unit
    return environment.get_template("describe.md")
