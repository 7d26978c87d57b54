"""Plot the quality of models against their cost; the output is reproducible."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from likewise.pages.map_colours import HUES, SHAPES
from likewise.pages.rendering import shortened, visible
from likewise.pages.svg import INK, SOFT, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 14
"""Maximum number of models that the legend names; the others are grey."""

_NAME_LENGTH, _SHORT = 48, 14
"""Characters of a name that the legend shows, and with which it has two columns."""


@dataclass(frozen=True)
class QualityPoint:
    """One model: its name, value with interval (None without one), and cost or speed."""

    name: str
    value: float
    low: float | None
    high: float | None
    cost: float


def quality_plot(
    points: Sequence[QualityPoint], metric: str, cost: str, *, less_is_better: bool
) -> str:
    """Return an SVG plot: cost (x, logarithmic) and value with its interval (y).

    Args:
        points: the models, the best first, as the legend lists them.
        metric: name of the value.
        cost: name and unit of the cost or speed.
        less_is_better: True for a cost, False for a speed.
    """
    best = not_beaten(points, less_is_better=less_is_better)
    shown = [shortened(visible(one.name), _NAME_LENGTH) for one in points[:_MOST]]
    columns = 1 if max(map(len, shown), default=0) > _SHORT else 2
    lines = (min(len(points), _MOST + 1) + 1 + columns - 1) // columns
    with canvas(4.8, 3.4 + 0.17 * lines) as (figure, drawn):
        axes = figure.add_subplot()
        axes.set(xscale="log", xlabel=f"{cost}, logarithmic scale", ylabel=metric)
        line = sorted((one.cost, one.value) for one in best)
        style: Any = {"color": SOFT, "linewidth": 1, "linestyle": (0, (4, 3)), "zorder": 1}
        label = "no other model is better in both"
        axes.plot([x for x, _ in line], [y for _, y in line], label=label, **style)
        for number, one in enumerate(points):
            _draw(axes, number, one)
        axes.margins(x=0.12, y=0.1)
        _costs(axes, [one.cost for one in points])
        axes.grid(visible=True, color=SOFT, alpha=0.2)
        handles, labels = axes.get_legend_handles_labels()
        place: Any = {"loc": "outside lower center", "ncols": columns, "frameon": False}
        order = [*range(1, len(handles)), 0]
        figure.legend([handles[n] for n in order], [labels[n] for n in order], **place)
    return drawn.svg


def not_beaten(points: Sequence[QualityPoint], *, less_is_better: bool) -> list[QualityPoint]:
    """Return the models for which no other one is as good in both, and better in one."""
    sign = 1 if less_is_better else -1

    def beats(one: QualityPoint, other: QualityPoint) -> bool:
        first, second = (one.value, -sign * one.cost), (other.value, -sign * other.cost)
        return first != second and first[0] >= second[0] and first[1] >= second[1]

    return [one for one in points if not any(beats(other, one) for other in points)]


def _draw(axes: "Axes", number: int, one: QualityPoint) -> None:
    has_colour = number < _MOST
    colour = HUES[number % len(HUES)] if has_colour else SOFT
    style: Any = {
        "color": colour,
        "marker": SHAPES[number % len(SHAPES)] if has_colour else ".",
    }
    label = shortened(visible(one.name), _NAME_LENGTH) if has_colour else "_"
    if number == _MOST:
        label = "other models"
    axes.plot([one.cost], [one.value], linestyle="", markersize=7, label=label, **style)
    if one.low is not None and one.high is not None:
        axes.plot([one.cost] * 2, [one.low, one.high], color=colour, linewidth=1.2, alpha=0.8)


def _costs(axes: "Axes", costs: Sequence[float]) -> None:
    """Mark the costs of few models by their numbers, of many ones by round numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    distinct = sorted(set(costs))
    apart = all(b / a > 1.35 for a, b in pairwise(distinct))
    if apart and len(distinct) <= 6:
        axes.set_xticks(distinct)
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{_short(value)}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.tick_params(axis="x", colors=INK)


def _short(value: float) -> str:
    """Format a number with three digits, or as an integer."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
