"""Maps of items: points on a plane, coloured by a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise.formats.array_types import Float32Array, Float64Array
from likewise.formats.counted_nouns import counted
from likewise.pages.rendering import inline_svg, render, same_digits
from likewise.pages.svg import BLUE, SOFT, canvas, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALETTE = (*range(0, 14, 2), 16, 18, *range(1, 14, 2), 17, 19)
"""The colours of matplotlib's tab20: one of each hue, then the light ones of these hues.

Its greys are left out: they stand for other values here.
"""

MOST_COLOURS = len(_PALETTE)
"""Maximum number of colours of a map; of more values, the most frequent ones have one."""

_DARKEST, _LIGHTEST = 0.2, 0.92
"""The part of the scale of numbers that is visible on dark and on white paper."""

_SIZE, _FEW = 5_000, 500
"""Points of a map that are drawn at full size, and at double size; more points are smaller."""


@dataclass(frozen=True)
class Colours:
    """The colours of points.

    Attributes:
        points: one colour per point.
        legend: value -> its colour; empty if all points have the same colour.
    """

    points: list[str]
    legend: list[tuple[str, str]]


@dataclass(frozen=True)
class ItemMap:
    """A map of the items as SVG, and its legend: value -> colour; empty if all are equal."""

    svg: str
    legend: list[tuple[str, str]]


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
        _scatter(axes, places, colours.points)
    return ItemMap(inline_svg(drawn.svg, name), colours.legend)


def map_figure(panels: Sequence[Panel], column: str | None) -> str:
    """Return an SVG of maps side by side, with one legend on white paper."""
    from matplotlib.lines import Line2D

    colours = colouring([panel.values for panel in panels])
    legend = colours[0].legend
    with canvas(5.2 * len(panels) + (1.8 if legend else 0), 5, "white") as (figure, drawn):
        for number, (panel, own) in enumerate(zip(panels, colours, strict=True), start=1):
            axes = figure.add_subplot(1, len(panels), number)
            axes.set_title(panel.title)
            _scatter(axes, panel.places, own.points)
        if legend:
            style: Any = {"marker": "o", "linestyle": "", "markersize": 5}
            dots = [
                Line2D([], [], color=colour, label=text, **style) for text, colour in legend
            ]
            figure.legend(handles=dots, loc="outside right center", title=column, frameon=False)
    return drawn.svg


def map_page(
    title: str, panels: Sequence[Panel], column: str | None, note: str, back: str = ""
) -> str:
    """Return a page with maps side by side, and one legend; ``back`` is a page to link to."""
    colours = colouring([panel.values for panel in panels])
    figures = []
    for number, (panel, own) in enumerate(zip(panels, colours, strict=True)):
        with drawing(5.2, 5) as (axes, drawn):
            _scatter(axes, panel.places, own.points)
        figures.append((panel.title, inline_svg(drawn.svg, f"map{number}")))
    legend = colours[0].legend
    shown = {"figures": figures, "legend": legend, "column": column}
    return render("map.html", title=title, note=note, back=back, **shown)


def colouring(columns: Sequence[pl.Series]) -> list[Colours]:
    """Choose the colours of the points of several maps, by one legend.

    Numbers with many values get a scale of colours, other values a colour each. Of more than
    ``MOST_COLOURS`` values, the most frequent ones do, and the others are grey.
    """
    values = pl.concat(list(columns))
    if values.dtype.is_numeric() and values.n_unique() > MOST_COLOURS:
        return _scale(columns, values)
    texts = values.cast(pl.String)
    names: list[str | None] = texts.unique().sort(nulls_last=True).to_list()
    if len(names) < 2:
        return [Colours([BLUE] * len(column), []) for column in columns]
    rest: list[tuple[str, str]] = []
    if len(names) > MOST_COLOURS:
        counts = texts.drop_nulls().value_counts(sort=True)
        ordered = counts.sort("count", texts.name, descending=[True, False])
        kept = set(ordered[texts.name].head(MOST_COLOURS - 1))
        rest = [(f"{counted(len(names) - len(kept), 'other value')}", SOFT)]
        names = [name for name in names if name in kept]
    by_name = dict(zip(names, _hexes("tab20", _PALETTE[: len(names)]), strict=True))
    if None in by_name:
        by_name[None] = SOFT
    legend = [
        (f"no {texts.name}" if name is None else name, colour)
        for name, colour in by_name.items()
    ]
    return [
        Colours([by_name.get(v, SOFT) for v in column.cast(pl.String)], [*legend, *rest])
        for column in columns
    ]


def _scale(columns: Sequence[pl.Series], values: pl.Series) -> list[Colours]:
    """Colour numbers by a scale from their smallest to their largest value."""
    known = values.drop_nulls().cast(pl.Float64)
    low, high = float(known.min() or 0), float(known.max() or 0)  # type: ignore[arg-type]
    marks = np.linspace(0, 1, 5)
    texts = same_digits([low + (high - low) * float(mark) for mark in marks], 3)
    legend = list(zip(texts, _shades(marks), strict=True))
    scaled = []
    for column in columns:
        shares = (column.cast(pl.Float64) - low) / ((high - low) or 1)
        colours = _shades(shares.fill_null(0).to_numpy())
        absent = column.is_null().to_list()
        points = [
            SOFT if gone else colour for gone, colour in zip(absent, colours, strict=True)
        ]
        scaled.append(Colours(points, legend))
    return scaled


def _shades(shares: Float64Array) -> list[str]:
    """Return the colours of shares, 0 to 1, on the scale of numbers."""
    return _hexes("viridis", (_DARKEST + (_LIGHTEST - _DARKEST) * shares).tolist())


def _hexes(scale: str, values: Sequence[float]) -> list[str]:
    """Return colours of a scale of matplotlib: by number, or for floats by share."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    colours = mpl.colormaps[scale]
    return [to_hex(colours(value)) for value in values]


def _scatter(axes: "Axes", places: Float32Array, colours: Sequence[str]) -> None:
    size = 7.0 if len(places) <= _SIZE else max(0.3, 7.0 * _SIZE / len(places))
    size = 14.0 if len(places) <= _FEW else size
    # Points that are drawn later hide others: a fixed random order hides all values alike.
    # Grey points, of other or missing values, are below all others.
    random = np.random.default_rng(0).permutation(len(places))
    grey = np.array([colours[row] == SOFT for row in random], dtype=bool)
    order = np.concatenate([random[grey], random[~grey]])
    shown = np.asarray(colours, dtype=object)[order]
    style: Any = {"s": size, "c": shown.tolist(), "linewidths": 0, "rasterized": True}
    axes.scatter(places[order, 0], places[order, 1], **style)
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
