"""Figures of the layers of vision transformers: attention distances and variances of tokens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from likewise.formats.array_types import Float32Array, Float64Array, UInt8Array
from likewise.pages.rendering import inline_svg, render, same_digits
from likewise.pages.svg import BLUE, SOFT, Drawing, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE_RANGE = 30
"""Ratio of the largest and the least variance above which their scale is logarithmic."""

_STYLES = ("-", "--", "-.", ":")

_COLUMNS = 4
"""Heat maps per row."""


@dataclass(frozen=True)
class LayerCurves:
    """The values of one model.

    Attributes:
        model: name of the model.
        width: width of the model's input in pixels.
        distances: (layers, heads) mean attention distances in pixels.
        variances: (layers,) variances of the patch tokens.
        shares: (layers,) variance / mean square of the patch tokens.
    """

    model: str
    width: int
    distances: Float64Array
    variances: Float64Array
    shares: Float64Array


def heads_figure(
    distances: Float32Array, saliency: Float32Array, pixels: UInt8Array
) -> Drawing:
    """Plot the heads of one image: distances by layer, and heat maps on the image.

    Args:
        distances: (layers, heads) in pixels of the model's input.
        saliency: (heads, rows, columns) attention of the last layer, 0 to 1.
        pixels: (height, width, 3) the image that the model sees.
    """
    rows = math.ceil(len(saliency) / _COLUMNS)
    with canvas(7, 2.6 + 1.8 * rows, "white", png=True) as (figure, drawn):
        grid = figure.add_gridspec(rows + 1, _COLUMNS, height_ratios=[1.4, *([1] * rows)])
        axes = figure.add_subplot(grid[0, :])
        for layer, heads in enumerate(distances, start=1):
            axes.plot([layer] * len(heads), heads, "o", color=BLUE, markersize=4, alpha=0.7)
        axes.set_ylabel("attention distance (pixels)")
        _from_zero(axes)
        _by_layer(axes)
        height, width = pixels.shape[:2]
        for head, weights in enumerate(saliency):
            axes = figure.add_subplot(grid[1 + head // _COLUMNS, head % _COLUMNS])
            axes.imshow(pixels)
            axes.imshow(weights, extent=(0, width, height, 0), cmap="inferno", alpha=0.6)
            axes.set_title(f"layer {len(distances)}, head {head + 1}")
            axes.set_axis_off()
        figure.supxlabel("brighter: more attention of the class token", color=SOFT)
    return drawn


def attention_figure(curves: Sequence[LayerCurves], title: str) -> Drawing:
    """Plot distances and variances by layer, one colour for each model, on white paper."""
    with canvas(11, 4.4, "white", png=True) as (figure, drawn):
        figure.suptitle(title)
        _draw(figure.subplots(1, 3), curves)
        _legend(figure, curves)
    return drawn


def attention_page(title: str, note: str, curves: Sequence[LayerCurves]) -> str:
    """Return a page with the figure, and a table of the values of every layer."""
    with canvas(11, 4.4) as (figure, drawn):
        _draw(figure.subplots(1, 3), curves)
        _legend(figure, curves)
    heads = [
        *("model", "layer", "mean distance (px)", "least head (px)", "largest head (px)"),
        *("token variance", "relative variance"),
    ]
    values = np.concatenate([_table(one) for one in curves])
    columns = [same_digits(column.tolist(), 3) for column in values.T]
    names = [
        (one.model, str(layer + 1)) for one in curves for layer in range(len(one.variances))
    ]
    rows = [[*name, *row] for name, row in zip(names, zip(*columns, strict=True), strict=True)]
    return render(
        "attention.html",
        title=title,
        note=note,
        svg=inline_svg(drawn.svg, "attention"),
        heads=heads,
        rows=rows,
    )


def _table(curves: LayerCurves) -> Float64Array:
    distances = curves.distances
    return np.stack(
        [
            *(distances.mean(axis=1), distances.min(axis=1), distances.max(axis=1)),
            *(curves.variances, curves.shares),
        ],
        axis=1,
    )


def _draw(panels: "Sequence[Axes]", curves: Sequence[LayerCurves]) -> None:
    # Inputs of several sizes are compared by shares of their widths.
    shares = len({one.width for one in curves}) > 1
    for number, one in enumerate(curves):
        layers = np.arange(1, len(one.variances) + 1)
        distances = 100 * one.distances / one.width if shares else one.distances
        style = _style(number, len(curves))
        panels[0].plot(layers, distances, "o", color=style["color"], markersize=3, alpha=0.45)
        panels[0].plot(layers, distances.mean(axis=1), **style)
        panels[1].plot(layers, one.variances, marker=".", **style)
        panels[2].plot(layers, one.shares, marker=".", **style)
    unit = "% of the input's width" if shares else "pixels of the input"
    panels[0].set(title="Attention distance (lines: mean; dots: heads)", ylabel=unit)
    panels[1].set(title="Variance of patch tokens", ylabel="mean over channels")
    panels[2].set(title="Relative variance", ylabel="variance / mean square")
    _from_zero(panels[0])
    panels[2].set_ylim(0, 1.02)
    values = np.concatenate([one.variances for one in curves])
    wide = values.min() > 0 and values.max() > _WIDE_RANGE * values.min()
    panels[1].set_yscale("log" if wide else "linear")
    if not wide:
        _from_zero(panels[1])
    for axes in panels:
        _by_layer(axes)


def _from_zero(axes: "Axes") -> None:
    """Begin the y axis at zero, and leave space above the largest value."""
    axes.set_ylim(0, 1.08 * axes.dataLim.y1)


def _by_layer(axes: "Axes") -> None:
    """Number the layers on the x axis."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("layer (1 is next to the input)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, color=SOFT, alpha=0.2)


def _style(number: int, count: int) -> dict[str, Any]:
    colour = BLUE if count == 1 else f"C{number % 10}"
    return {"color": colour, "linestyle": _STYLES[number % len(_STYLES)], "linewidth": 1.4}


def _legend(figure: Any, curves: Sequence[LayerCurves]) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], label=one.model, **_style(number, len(curves)))
        for number, one in enumerate(curves)
    ]
    columns = min(4, len(lines))
    figure.legend(handles=lines, loc="outside lower center", ncols=columns, frameon=False)
