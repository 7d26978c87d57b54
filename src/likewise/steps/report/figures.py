"""The figures of a report as SVG. Equal numbers give equal text."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.pages.svg import BLUE, SOFT, drawing

_MOST_COLOURS = 20
SHOWN_ON_MAP = 2_000
_SEED = 0


def line(frame: pl.DataFrame, x: str, y: str, label: str) -> str:
    """Plot column ``y`` over ``x``; the vertical axis is from 0 to 1."""
    with drawing(4.2, 2.8) as (axes, drawn):
        axes.plot(frame[x].to_numpy(), frame[y].to_numpy(), color=BLUE, linewidth=1.8)
        axes.set(xlabel=x, ylabel=label, ylim=(0, 1.02))
        axes.grid(visible=True, color=SOFT, alpha=0.2)
    return drawn.svg


def bars(named: Sequence[tuple[str, float]], label: str) -> str:
    """Plot vertical bars in the given order."""
    with drawing(4.2, 2.8) as (axes, drawn):
        names = [name for name, _ in named]
        axes.bar(range(len(named)), [value for _, value in named], color=BLUE)
        axes.set_xticks(range(len(named)), names, rotation=45, ha="right")
        axes.set_ylabel(label)
    return drawn.svg


def intervals(named: Mapping[str, tuple[float, float, float]]) -> str:
    """Plot one row per metric: its value and its 95 % interval."""
    with drawing(4.2, 0.6 + 0.28 * len(named)) as (axes, drawn):
        for row, (value, low, high) in enumerate(named.values()):
            axes.plot([low, high], [row, row], color=BLUE, linewidth=5, alpha=0.35)
            axes.plot([value], [row], "o", color=BLUE, markersize=4)
        axes.set_yticks(range(len(named)), list(named))
        axes.invert_yaxis()
        axes.grid(visible=True, axis="x", color=SOFT, alpha=0.2)
    return drawn.svg


def layout(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Compute positions (n, 2) of vectors (n, d) on a plane by t-SNE, with a fixed seed.

    Source: van der Maaten, Hinton, Visualizing Data using t-SNE, JMLR 9 (2008).
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, max(2.0, (len(vectors) - 1) / 3))
    place = TSNE(init="pca", perplexity=perplexity, metric="cosine", random_state=_SEED)
    found: npt.NDArray[np.float32] = place.fit_transform(vectors.astype(np.float32))
    return found


def chosen(count: int) -> npt.NDArray[np.int64]:
    """Return the row numbers of the items on the map: all, or an even sample."""
    return np.unique(np.linspace(0, count - 1, min(count, SHOWN_ON_MAP)).astype(np.int64))


def points(places: npt.NDArray[np.float32], kinds: pl.Series) -> str:
    """Plot a map of the items, coloured by kind if there are few kinds."""
    names = kinds.drop_nulls().unique().sort().to_list()
    with drawing(6.4, 5.2) as (axes, drawn):
        import matplotlib as mpl

        colours = mpl.colormaps["tab20"]
        several = 1 < len(names) <= _MOST_COLOURS
        for number, name in enumerate(names if several else [None]):
            mask = (kinds == name).fill_null(value=False).to_numpy() if several else slice(None)
            shade = colours(number % _MOST_COLOURS)
            across, up = places[mask].T
            axes.scatter(across, up, s=7, color=shade, label=name, rasterized=True)
        if several:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8)
        axes.set_axis_off()
    return drawn.svg
