"""Maps of items: points on a plane, coloured by a column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise.formats.array_types import Float32Array
from likewise.pages.map_colours import POINT, Colours, LegendEntry, colouring
from likewise.pages.rendering import inline_svg, render, shortened, visible
from likewise.pages.svg import SOFT, canvas, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AREA = 18_000
"""Area of all points of a map in square points, so that many points are smaller."""

_LEAST_AREA, _MAX_AREA = 0.3, 24.0
"""Bounds of the area of a point in square points."""

_COLUMNS = 3
"""Maps per row of a figure."""

_LEGEND_LENGTH = 32
"""Characters of a value that the legend of a figure shows."""

_PARTS = 16
"""Parts in which points are drawn, so that no shape hides all others."""


@dataclass(frozen=True)
class ItemMap:
    """A map of the items as SVG, and its legend; empty if all points are equal."""

    svg: str
    legend: list[LegendEntry]


@dataclass(frozen=True)
class Panel:
    """One map of several: its title, places (n, 2) and the values of the colouring column."""

    title: str
    places: Float32Array
    values: pl.Series


def item_map(places: Float32Array, values: pl.Series, name: str = "map") -> ItemMap:
    """Plot items at their places (n, 2), for a page; ``name`` begins the ids of the figure."""
    colours = colouring([values])[0]
    with drawing(6.4, 5.2) as (axes, drawn):
        _scatter(axes, places, colours)
    return ItemMap(inline_svg(drawn.svg, name), colours.legend)


def map_figure(
    panels: Sequence[Panel], column: str | None, title: str = "", note: str = ""
) -> str:
    """Return an SVG of maps side by side, with one legend on white paper.

    Args:
        panels: the maps.
        column: name of the column that colours the points.
        title: title of the figure.
        note: a line below the maps.
    """
    from matplotlib.lines import Line2D

    colours = colouring([panel.values for panel in panels])
    legend = colours[0].legend
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    size = 4.6 * columns + _legend_width(legend), 4.8 * rows + (0.4 if title else 0)
    with canvas(*size, "white") as (figure, drawn):
        for number, (panel, own) in enumerate(zip(panels, colours, strict=True), start=1):
            axes = figure.add_subplot(rows, columns, number)
            axes.set_title(shortened(visible(panel.title), 60))
            _scatter(axes, panel.places, own)
        if legend:
            style: Any = {"linestyle": "", "markersize": 5}
            dots = [
                Line2D(
                    *([], []),
                    color=entry.colour,
                    marker=entry.shape,
                    label=shortened(visible(entry.text), _LEGEND_LENGTH),
                    **style,
                )
                for entry in legend
            ]
            figure.legend(
                handles=dots,
                loc="outside right center",
                title=column,
                alignment="left",
                frameon=False,
            )
        if title:
            figure.suptitle(shortened(visible(title), 28 * columns + 20))
        if note:
            figure.supxlabel(_lines(note, 60 * columns + 20), color=SOFT, fontsize=8)
    return drawn.svg


def map_page(
    title: str, panels: Sequence[Panel], column: str | None, note: str, back: str = ""
) -> str:
    """Return a page with maps side by side, and one legend; ``back`` is a page to link to."""
    colours = colouring([panel.values for panel in panels])
    figures = []
    for number, (panel, own) in enumerate(zip(panels, colours, strict=True)):
        with drawing(5.2, 5) as (axes, drawn):
            _scatter(axes, panel.places, own)
        figures.append((panel.title, inline_svg(drawn.svg, f"map{number}")))
    legend = colours[0].legend
    shown = {"figures": figures, "legend": legend, "column": column}
    return render("map.html", title=title, note=note, back=back, **shown)


def meaning(titles: Sequence[str], columns: Sequence[pl.Series], column: str | None) -> str:
    """Describe in sentences what maps show, for readers who see nothing else.

    Args:
        titles: titles of the maps, which name their methods.
        columns: the values that colour the points of each map.
        column: name of the colouring column; None for none.
    """
    text = (
        "Each point is an item; near points have similar vectors. Only distances within a map "
        "can be compared: its axes have no unit."
    )
    if any(not title.endswith("PCA") for title in titles):
        text += " t-SNE and UMAP keep neighbourhoods; gaps and sizes of groups mean little."
    if column is None:
        return text
    if not colouring(columns)[0].legend:
        values = pl.concat(list(columns)).drop_nulls()
        one = f"the {column} {values[0]}" if len(values) else f"no {column}"
        return f"{text} All items have {shortened(one)}."
    return text


def _legend_width(legend: Sequence[LegendEntry]) -> float:
    """Return the width in inches that a legend needs; characters of East Asia are wide."""
    import unicodedata

    texts = (shortened(visible(entry.text), _LEGEND_LENGTH) for entry in legend)
    wide = (sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text) for text in texts)
    return 0.8 + 0.08 * max(wide) if legend else 0


def _lines(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(visible(text), width))


def _scatter(axes: "Axes", places: Float32Array, colours: Colours) -> None:
    size = min(max(_AREA / max(1, len(places)), _LEAST_AREA), _MAX_AREA)
    # Points that are drawn later hide others: a fixed random order hides all values alike.
    # Small grey points, of other or missing values, are below all others.
    random = np.random.default_rng(0).permutation(len(places))
    shapes = np.asarray(colours.shapes, dtype=object)
    ink = np.asarray(colours.points, dtype=object)
    small = shapes[random] == POINT
    parts = [random[small], *np.array_split(random[~small], _PARTS)]
    for part in parts:
        for shape in dict.fromkeys(shapes[part]):
            own = part[shapes[part] == shape]
            style: Any = {"s": size, "c": ink[own].tolist(), "marker": shape}
            axes.scatter(*places[own].T, linewidths=0, rasterized=True, **style)
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
