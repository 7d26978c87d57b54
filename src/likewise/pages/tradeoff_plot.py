"""Recall, speed and size of many indexes as one picture; the same points, the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from likewise.pages.svg import INK, SOFT, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST = 300
"""The area of the index that holds most, in square points."""


@dataclass(frozen=True)
class Point:
    """One index: its family, recall (0 to 1), queries a second, and bytes in memory."""

    family: str
    recall: float
    queries_per_s: float
    nbytes: int
    chosen: bool = False


def frontier(title: str, points: Sequence[Point], recall: float | None = None) -> str:
    """The picture: recall to the right, queries a second upwards (logarithmic), size as area.

    Args:
        title: what was measured.
        points: the indexes; those of a family are joined in the order of their recall.
        recall: what was asked for, as a line.
    """
    families: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda p: (p.recall, -p.queries_per_s)):
        families.setdefault(point.family, []).append(point)
    with drawing(8.6, 5.2, paper="white") as (axes, drawn):
        axes.set(title=title, xlabel="recall@10", ylabel="queries a second", yscale="log")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_minor_formatter("")
        if recall is not None:
            axes.axvline(recall, color=SOFT, linewidth=0.8)
        for family in dict.fromkeys(point.family for point in points):
            _series(axes, families[family], max(point.nbytes for point in points))
        if points:
            title = "the larger, the more bytes"
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, title=title)
    return drawn.svg


def size(nbytes: float) -> str:
    """A number of bytes, for people."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes / 1e3:.3g} kB"


def _series(axes: "Axes", points: Sequence[Point], most: int) -> None:
    recalls, speeds = [p.recall for p in points], [p.queries_per_s for p in points]
    (line,) = axes.plot(recalls, speeds, alpha=0.5, linewidth=1)
    chosen = ", chosen" if any(p.chosen for p in points) else ""
    axes.scatter(
        recalls,
        speeds,
        s=[_LARGEST * p.nbytes / most for p in points],
        color=line.get_color(),
        alpha=0.7,
        edgecolors=INK,
        linewidths=[2 if p.chosen else 0 for p in points],
        label=f"{points[0].family} ({size(min(p.nbytes for p in points))}{chosen})",
    )
