"""Figures of the layers of vision transformers: attention distances and variances of tokens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from likewise.formats.array_types import Float32Array, Float64Array, UInt8Array
from likewise.pages.map_colours import HUES
from likewise.pages.rendering import inline_svg, render, same_digits, shortened, visible
from likewise.pages.svg import BLUE, INK, SOFT, Drawing, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE_RANGE = 30
"""Ratio of the largest and the least variance above which their scale is logarithmic."""

_STYLES = ("-", "--", "-.", ":")
_MARKERS = ("o", "^", "s", "D", "v")

_COLUMNS = 4
"""Pictures per row."""

_NAME_LENGTH = 48
"""Characters of the name of a model that a figure shows."""

_UNIFORM = "uniform attention"


@dataclass(frozen=True)
class LayerCurves:
    """The values of one model.

    Attributes:
        model: name of the model.
        width: width of the model's input in pixels.
        distances: (layers, heads) mean attention distances in pixels.
        variances: (layers,) variances of the patch tokens.
        shares: (layers,) variance / mean square of the patch tokens.
        uniform: distance in pixels of attention that is equal for all patches.
    """

    model: str
    width: int
    distances: Float64Array
    variances: Float64Array
    shares: Float64Array
    uniform: float


def heads_figure(
    curves: LayerCurves, saliency: Float32Array, pixels: UInt8Array, title: str
) -> Drawing:
    """Plot the heads of one image: distances by layer, and heat maps.

    Args:
        curves: the values of the model on the image.
        saliency: (heads, rows, columns) attention of the last layer, 0 to 1.
        pixels: (height, width, 3) the image that the model sees.
        title: title of the figure.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    columns = min(_COLUMNS, 1 + len(saliency))
    rows = math.ceil((1 + len(saliency)) / columns)
    height, width = pixels.shape[:2]
    # Pale, so that the colours of the heat map are those of its scale.
    pale = 140 + pixels.mean(axis=2) * (115 / 255)
    with canvas(7.6, 3.6 + rows * 7 / columns, "white", png=True) as (figure, drawn):
        figure.suptitle(shortened(visible(title), 80))
        grid = figure.add_gridspec(
            rows + 1, columns, height_ratios=[2.4, *([7 / columns] * rows)]
        )
        _draw_distances(figure.add_subplot(grid[0, :]), [curves])
        pictures = [
            figure.add_subplot(grid[1 + number // columns, number % columns])
            for number in range(1 + len(saliency))
        ]
        pictures[0].imshow(pixels)
        pictures[0].set_title("input of the model")
        for number, (axes, weights) in enumerate(zip(pictures[1:], saliency, strict=True), 1):
            axes.imshow(pale, cmap="gray", vmin=0, vmax=255)
            extent = (0, width, height, 0)
            axes.imshow(weights, extent=extent, cmap="viridis", vmin=0, vmax=1, alpha=0.8)
            axes.set_title(f"layer {len(curves.variances)}, head {number}")
        for axes in pictures:
            axes.set_axis_off()
        scale = ScalarMappable(Normalize(0, 1), "viridis")
        style: Any = {"location": "bottom", "shrink": 0.6, "aspect": 40, "pad": 0.02}
        bar = figure.colorbar(scale, ax=pictures, **style)
        bar.set_label("attention of the class token / its largest value in the head")
    return drawn


def attention_figure(curves: Sequence[LayerCurves], title: str) -> Drawing:
    """Plot distances and variances by layer, one colour for each model, on white paper."""
    lines = math.ceil(len(curves) / 4)
    with canvas(12, 4.4 + 0.25 * lines, "white", png=True) as (figure, drawn):
        figure.suptitle(shortened(visible(title), 120))
        for axes, draw in zip(figure.subplots(1, 3), _PANELS, strict=True):
            draw(axes, curves)
        _legend(figure, curves)
    return drawn


def attention_page(title: str, note: str, curves: Sequence[LayerCurves]) -> str:
    """Return a page with the figures, and a table of the values of every layer."""
    figures = []
    for number, draw in enumerate(_PANELS):
        with canvas(4.6, 3.8) as (figure, drawn):
            draw(figure.add_subplot(), curves)
            _legend(figure, curves, columns=1 if _longest(curves) > 16 else 3)
        figures.append(inline_svg(drawn.svg, f"attention{number}"))
    heads = [
        *("model", "layer", "mean distance (px)", "smallest of a head (px)"),
        *("largest of a head (px)", "token variance", "relative variance"),
    ]
    values = np.concatenate([_table(one) for one in curves])
    distances = same_digits(values[:, :3].ravel().tolist(), 3)
    columns = [distances[at::3] for at in range(3)]
    columns += [same_digits(column.tolist(), 3) for column in values[:, 3:].T]
    names = [
        (one.model, str(layer + 1)) for one in curves for layer in range(len(one.variances))
    ]
    rows = [[*name, *row] for name, row in zip(names, zip(*columns, strict=True), strict=True)]
    return render(
        "attention.html",
        title=title,
        note=note,
        figures=list(zip(_TITLES, figures, strict=True)),
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


def _draw_distances(axes: "Axes", curves: Sequence[LayerCurves]) -> None:
    # Inputs of several sizes are compared by shares of their widths.
    shares = len({one.width for one in curves}) > 1
    for number, one in enumerate(curves):
        layers = np.arange(1, len(one.variances) + 1)
        scale = 100 / one.width if shares else 1
        style = _style(number, len(curves))
        heads = scale * one.distances
        colour = style["color"]
        axes.plot(layers, heads, _marker(number), color=colour, markersize=4, alpha=0.45)
        axes.plot(layers, heads.mean(axis=1), **style)
    uniform = [one.uniform * (100 / one.width if shares else 1) for one in curves]
    for height in sorted({round(value, 1) for value in uniform}):
        axes.axhline(height, color=SOFT, linestyle=(0, (1, 2)), linewidth=1)
    axes.set(
        title=_TITLES[0], ylabel="% of the input's width" if shares else "pixels of the input"
    )
    axes.set_ylim(0, 1.12 * max(axes.dataLim.y1, *uniform))
    axes.legend(handles=_roles(), frameon=False, loc="best", fontsize=8)
    _by_layer(axes)


def _draw_variances(axes: "Axes", curves: Sequence[LayerCurves]) -> None:
    for number, one in enumerate(curves):
        _line(axes, one.variances, number, len(curves))
    values = np.concatenate([one.variances for one in curves])
    wide = values.min() > 0 and values.max() > _WIDE_RANGE * values.min()
    scale = ", logarithmic scale" if wide else ""
    axes.set(title=_TITLES[1], ylabel=f"mean over channels{scale}")
    axes.set_yscale("log" if wide else "linear")
    if not wide:
        axes.set_ylim(0, 1.08 * (axes.dataLim.y1 or 1))
    _by_layer(axes)


def _draw_shares(axes: "Axes", curves: Sequence[LayerCurves]) -> None:
    for number, one in enumerate(curves):
        _line(axes, one.shares, number, len(curves))
    axes.set(title=_TITLES[2], ylabel="variance / mean square (0 to 1)", ylim=(0, 1.02))
    _by_layer(axes)


_TITLES = (
    "Attention distance",
    "Variance of patch tokens",
    "Relative variance of patch tokens",
)
_PANELS = (_draw_distances, _draw_variances, _draw_shares)


def _line(axes: "Axes", values: Float64Array, number: int, count: int) -> None:
    layers = np.arange(1, len(values) + 1)
    axes.plot(layers, values, marker=_marker(number), markersize=4, **_style(number, count))


def _by_layer(axes: "Axes") -> None:
    """Number the layers on the x axis."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("layer (1 is next to the input)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, color=SOFT, alpha=0.2)


def _style(number: int, count: int) -> dict[str, Any]:
    colour = BLUE if count == 1 else HUES[number % len(HUES)]
    return {"color": colour, "linestyle": _STYLES[number % len(_STYLES)], "linewidth": 1.4}


def _marker(number: int) -> str:
    return _MARKERS[number % len(_MARKERS)]


def _roles() -> list[Any]:
    """Return the entries of a legend of what lines and dots are in the plot of distances."""
    from matplotlib.lines import Line2D

    dots: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4, "alpha": 0.45}
    return [
        Line2D([], [], color=INK, linewidth=1.4, label="mean of the heads"),
        Line2D([], [], color=INK, label="one head", **dots),
        Line2D([], [], color=SOFT, linestyle=(0, (1, 2)), linewidth=1, label=_UNIFORM),
    ]


def _longest(curves: Sequence[LayerCurves]) -> int:
    return max(len(one.model) for one in curves)


def _legend(figure: Any, curves: Sequence[LayerCurves], columns: int = 4) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D(
            *([], []),
            label=shortened(visible(one.model), _NAME_LENGTH),
            marker=_marker(number),
            markersize=4,
            **_style(number, len(curves)),
        )
        for number, one in enumerate(curves)
    ]
    most = max(1, min(columns, len(lines), 200 // (_longest(curves) + 8)))
    figure.legend(handles=lines, loc="outside lower center", ncols=most, frameon=False)
