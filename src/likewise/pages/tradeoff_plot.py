"""Plot recall, speed and size of indexes; the output is reproducible."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from likewise.errors import size_text
from likewise.pages.svg import INK, SOFT, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_AREA = 300
"""Marker area of the largest index in square points."""


@dataclass(frozen=True)
class IndexPoint:
    """One index: family, recall (0 to 1), queries per second, and bytes in memory."""

    family: str
    recall: float
    queries_per_s: float
    nbytes: int
    chosen: bool = False


def tradeoff_plot(title: str, points: Sequence[IndexPoint], recall: float | None = None) -> str:
    """Return an SVG plot: recall (x), queries per second (y, logarithmic), size as area.

    Args:
        title: title of the plot.
        points: the indexes; those of a family are connected in the order of their recall.
        recall: required recall, drawn as a vertical line.
    """
    families: dict[str, list[IndexPoint]] = {}
    for point in sorted(points, key=lambda p: (p.recall, -p.queries_per_s)):
        families.setdefault(point.family, []).append(point)
    with drawing(8.6, 5.2, paper="white") as (axes, drawn):
        axes.set(title=title, xlabel="recall@10", ylabel="queries per second", yscale="log")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_minor_formatter("")
        if recall is not None:
            label = f"required recall {recall:g}"
            axes.axvline(recall, color=SOFT, linewidth=0.8, label=label)
        for family in dict.fromkeys(point.family for point in points):
            _series(axes, families[family], max(point.nbytes for point in points))
        if points:
            title = "marker area: bytes in memory"
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, title=title)
    return drawn.svg


def _series(axes: "Axes", points: Sequence[IndexPoint], max_nbytes: int) -> None:
    recalls, speeds = [p.recall for p in points], [p.queries_per_s for p in points]
    (line,) = axes.plot(recalls, speeds, alpha=0.5, linewidth=1)
    chosen = ", chosen" if any(p.chosen for p in points) else ""
    axes.scatter(
        recalls,
        speeds,
        s=[_MAX_AREA * p.nbytes / max_nbytes for p in points],
        color=line.get_color(),
        alpha=0.7,
        edgecolors=INK,
        linewidths=[2 if p.chosen else 0 for p in points],
        label=f"{points[0].family} ({size_text(min(p.nbytes for p in points))}{chosen})",
    )
