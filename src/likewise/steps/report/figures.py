"""The figures of a report as SVG. Equal numbers give equal text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import extras_named
from likewise.pages.rendering import inline_svg
from likewise.pages.svg import BLUE, SOFT, drawing

_MOST_COLOURS = 20
SHOWN_ON_MAP = 2_000
_SEED = 0


@dataclass(frozen=True)
class ItemMap:
    """A map of the items as SVG, and its legend: kind -> colour; empty if all are equal."""

    svg: str
    legend: list[tuple[str, str]]


def line(frame: pl.DataFrame, x: str, y: str, label: str) -> str:
    """Plot column ``y`` over ``x``; the vertical axis is from 0 to 1."""
    with drawing(4.2, 2.8) as (axes, drawn):
        axes.plot(frame[x].to_numpy(), frame[y].to_numpy(), color=BLUE, linewidth=1.8)
        axes.set(xlabel=x, ylabel=label, ylim=(0, 1.02))
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
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return drawn.svg


def layout(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Compute positions (n, 2) of vectors (n, d) on a plane by t-SNE, with a fixed seed.

    Source: van der Maaten, Hinton, Visualizing Data using t-SNE, JMLR 9 (2008).
    """
    with extras_named():
        from sklearn.manifold import TSNE

    perplexity = min(30.0, max(2.0, (len(vectors) - 1) / 3))
    place = TSNE(init="pca", perplexity=perplexity, metric="cosine", random_state=_SEED)
    positions: npt.NDArray[np.float32] = place.fit_transform(vectors.astype(np.float32))
    return positions


def chosen(count: int) -> npt.NDArray[np.int64]:
    """Return the row numbers of the items on the map: all, or an even sample."""
    return np.unique(np.linspace(0, count - 1, min(count, SHOWN_ON_MAP)).astype(np.int64))


def item_map(places: npt.NDArray[np.float32], kinds: pl.Series) -> ItemMap:
    """Plot the items at their places (n, 2), coloured by kind if there are few kinds."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    style: Any = {"s": 7, "rasterized": True}
    names: list[str | None] = kinds.unique().sort(nulls_last=True).to_list()
    several = 1 < len(names) <= _MOST_COLOURS
    legend = []
    with drawing(6.4, 5.2) as (axes, drawn):
        for number, name in enumerate(names if several else ()):
            colour = SOFT if name is None else to_hex(mpl.colormaps["tab20"](number))
            axes.scatter(*places[kinds.eq_missing(name).to_numpy()].T, **style, color=colour)
            legend.append((f"no {kinds.name}" if name is None else name, colour))
        if not several:
            axes.scatter(*places.T, **style, color=BLUE)
        axes.set_axis_off()
    return ItemMap(inline_svg(drawn.svg, "map"), legend)
