"""Colours and shapes of the points of maps, by the values of a column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.formats.array_types import Float64Array
from likewise.formats.counted_nouns import counted
from likewise.pages.rendering import same_digits
from likewise.pages.svg import BLUE, SOFT

HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5d3a9b")
"""Seven colours that colour-blind people distinguish (Okabe and Ito, without yellow)."""

SHAPES = ("o", "^", "s", "D", "v")
"""Shapes of points, as matplotlib names them."""

POINT = "."
"""Shape of small points: other values, and missing ones."""

MOST_COLOURS = 18
"""Maximum number of values that differ in colour or shape; of more, the most frequent ones do.

Colours and shapes go round together, so that neighbours in the legend differ in both.
"""

_DARKEST, _LIGHTEST = 0.2, 0.92
"""The part of the scale of numbers that is visible on dark and on white paper."""

_PATHS = {
    "o": "M1 6a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
    "^": "M6 1L11.2 10.5H.8z",
    "s": "M1.5 1.5h9v9h-9z",
    "D": "M6 .3L11.7 6L6 11.7L.3 6z",
    "v": "M6 11L11.2 1.5H.8z",
    ".": "M3.5 6a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0z",
}


@dataclass(frozen=True)
class LegendEntry:
    """A value of the legend, with its colour and its shape."""

    text: str
    colour: str
    shape: str = "o"

    @property
    def path(self) -> str:
        """The shape as a path of SVG in a square of 12 pixels."""
        return _PATHS[self.shape]


@dataclass(frozen=True)
class Colours:
    """The colours and shapes of points.

    Attributes:
        points: one colour per point.
        shapes: one shape per point.
        legend: the values; empty if all points have the same colour.
    """

    points: list[str]
    shapes: list[str]
    legend: list[LegendEntry]


def colouring(columns: Sequence[pl.Series]) -> list[Colours]:
    """Choose the colours and shapes of the points of several maps, by one legend.

    Numbers with many values get a scale of colours, other values a colour and a shape each. Of
    more than ``MOST_COLOURS`` values, the most frequent ones do, and the others are grey.
    """
    values = pl.concat(list(columns))
    if values.dtype.is_numeric() and values.n_unique() > MOST_COLOURS:
        return _scale(columns, values)
    texts = values.cast(pl.String)
    names = sorted(sorted(texts.drop_nulls().unique().to_list()), key=natural)
    missing = texts.null_count() > 0
    if len(names) + missing < 2:
        return [_plain(len(column)) for column in columns]
    kept, rest = names, len(names) + missing - MOST_COLOURS
    if rest > 0:
        counts = dict(texts.drop_nulls().value_counts().iter_rows())
        ordered = sorted(names, key=lambda name: (-counts[name], natural(name)))
        kept = sorted(ordered[: MOST_COLOURS - 1 - missing], key=natural)
        rest = len(names) - len(kept)
    entries = {
        name: LegendEntry(name, HUES[at % len(HUES)], SHAPES[at % len(SHAPES)])
        for at, name in enumerate(kept)
    }
    legend = list(entries.values())
    if rest > 0:
        legend.append(LegendEntry(counted(rest, "other value"), SOFT, POINT))
    if missing:
        legend.append(LegendEntry(f"no {texts.name}", SOFT, POINT))
    other = LegendEntry("", SOFT, POINT)
    drawn = []
    for column in columns:
        own = [entries.get(value, other) for value in column.cast(pl.String)]
        drawn.append(Colours([e.colour for e in own], [e.shape for e in own], legend))
    return drawn


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts without case, and numbers in texts by value: 2 before 10."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", text.casefold())
    return [(0, int(p), p) if p[0] in "0123456789" else (1, 0, p) for p in parts]


def in_words(labels: pl.Series, texts: pl.Series) -> pl.Series:
    """Return the texts of labels, if each label has one text and each text one label.

    Labels are often numbers, whose texts are the names of the classes.
    """
    pairs = pl.DataFrame([labels.alias("label"), texts.alias("text")]).drop_nulls("label")
    distinct = pairs.unique()
    one_to_one = all(distinct[name].n_unique() == len(distinct) for name in ("label", "text"))
    if not one_to_one or not len(distinct) or distinct["text"].null_count():
        return labels
    return texts.alias(labels.name)


def _plain(count: int) -> Colours:
    return Colours([BLUE] * count, ["o"] * count, [])


def _scale(columns: Sequence[pl.Series], values: pl.Series) -> list[Colours]:
    """Colour numbers by a scale from their smallest to their largest value."""
    known = values.cast(pl.Float64).drop_nulls().filter(values.drop_nulls().is_finite())
    low, high = float(known.min() or 0), float(known.max() or 0)  # type: ignore[arg-type]
    marks = np.linspace(0, 1, 5)
    texts = same_digits([low + (high - low) * float(mark) for mark in marks], 3)
    shades = zip(texts, _shades(marks), strict=True)
    legend = [LegendEntry(text, colour) for text, colour in shades]
    absent = len(known) < len(values)
    if absent:
        legend.append(LegendEntry(f"no {values.name}", SOFT, POINT))
    scaled = []
    for column in columns:
        numbers = column.cast(pl.Float64)
        shares = ((numbers - low) / ((high - low) or 1)).fill_null(np.nan).to_numpy()
        has_value = np.isfinite(shares)
        colours = _shades(np.where(has_value, shares, 0))
        points = [
            colour if kept else SOFT for kept, colour in zip(has_value, colours, strict=True)
        ]
        shapes = ["o" if kept else POINT for kept in has_value]
        scaled.append(Colours(points, shapes, legend))
    return scaled


def _shades(shares: Float64Array) -> list[str]:
    """Return the colours of shares, 0 to 1, on the scale of numbers."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    scale = mpl.colormaps["viridis"]
    values = _DARKEST + (_LIGHTEST - _DARKEST) * shares
    return [to_hex(scale(float(value))) for value in values]
