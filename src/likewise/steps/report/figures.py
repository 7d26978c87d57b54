"""The figures of a report as SVG. Equal numbers give equal text."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from likewise.formats.array_types import Int64Array
from likewise.formats.even_sample import evenly
from likewise.pages.svg import BLUE, SOFT, drawing

SHOWN_ON_MAP = 2_000


def line(frame: pl.DataFrame, x: str, y: str, label: str) -> str:
    """Plot column ``y`` over ``x``; the vertical axis is from 0 to 1, ranks start at 1."""
    from matplotlib.ticker import MaxNLocator

    with drawing(4.2, 2.8) as (axes, drawn):
        axes.plot(frame[x].to_numpy(), frame[y].to_numpy(), color=BLUE, linewidth=1.8)
        axes.set(xlabel=x, ylabel=label, ylim=(0, 1.02))
        if x == "rank" and len(frame) > 1:
            last = int(frame[x].max())  # type: ignore[arg-type]
            ticks = MaxNLocator(6, integer=True).tick_values(1, last)
            axes.set_xticks([1, *(t for t in ticks if 1 + last / 12 < t <= last)])
        axes.grid(visible=True, color=SOFT, alpha=0.2)
    return drawn.svg


def bars(labelled: Sequence[tuple[str, float]], x: str, y: str) -> str:
    """Plot vertical bars in the given order; ``x`` and ``y`` label the axes."""
    from matplotlib.ticker import MaxNLocator

    with drawing(4.2, 2.8) as (axes, drawn):
        names = [name for name, _ in labelled]
        axes.bar(range(len(labelled)), [value for _, value in labelled], color=BLUE)
        long = max(map(len, names), default=0) > len("1,024")
        style: Any = {"rotation": 45, "ha": "right"} if long else {}
        axes.set_xticks(range(len(labelled)), names, **style)
        axes.set(xlabel=x, ylabel=y)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return drawn.svg


def chosen(count: int) -> Int64Array:
    """Return the row numbers of the items on the map: all, or an even sample."""
    return evenly(count, SHOWN_ON_MAP)
