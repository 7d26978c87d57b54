"""Measure the attention distances of a vision transformer on one image."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import MissingArtefactError, UnknownNameError
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.models import recipes
from likewise.pages.svg import BLUE, SOFT, canvas
from likewise.retrieval.search_options import Picture
from likewise.retrieval.search_query import open_picture
from likewise.storage import artefacts, versions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from likewise.models.training.attention_maps import Attention

_COLUMNS = 4


def attention(
    model: str,
    image: Picture,
    *,
    figure: StrPath | None = None,
    workspace: StrPath | None = None,
) -> pl.DataFrame:
    """Measure the mean attention distance of every head of ``model`` on an image.

    Args:
        model: a model of params.yaml, a vision transformer.
        image: a file, its bytes or a PIL image.
        figure: an SVG file to write. The figure shows the distances by layer and, for every
            head of the last layer, the attention of the class token as a heat map.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        A frame with one row per head, sorted by layer and head: layer (from 1, the first is
        next to the input), name of the layer, head (from 1) and distance (pixels of the
        model's input).

    Raises:
        UnknownNameError: params.yaml has no such model.
        MissingArtefactError: the model was not made yet.
        DataError: the model is not a vision transformer, the image cannot be decoded, or the
            figure cannot be written.

    Example:
        With the model ``vit: {kind: timm, backbone: test_vit.r160_in1k, weights: random}``
        in params.yaml:

        >>> passport = likewise.load("vit")
        >>> distances = likewise.attention("vit", "pictures/0_noto.jpg")
        >>> distances.group_by("name", maintain_order=True).len().rows()[0]
        ('blocks.0.attn', 2)
        >>> round(distances["distance"].mean())
        83
    """
    ws = open_workspace(workspace)
    if model not in ws.params.models:
        ws.params.refuse_broken(model, ("models",))
        raise UnknownNameError("model", model, ws.params.models, "params.yaml")
    folder = versions.locate(ws, ws.model(model))
    if not folder.is_dir():
        command = artefacts.model(ws, model).command
        raise MissingArtefactError(f"model {model!r} is not on this machine", command)
    picture = open_picture(image)
    encoder = recipes.load(folder)
    maps = encoder.attention(picture)
    if figure is not None:
        atomic.write_text(Path(figure), _svg(maps, np.asarray(encoder.seen(picture))))
    return _frame(maps)


def _frame(maps: "Attention") -> pl.DataFrame:
    distances = maps.distances()
    heads = distances.shape[1]
    return pl.DataFrame(
        {
            "layer": [n + 1 for n in range(len(maps.layers)) for _ in range(heads)],
            "name": [name for name in maps.layers for _ in range(heads)],
            "head": list(range(1, heads + 1)) * len(maps.layers),
            "distance": distances.ravel(),
        }
    )


def _svg(maps: "Attention", pixels: Any) -> str:
    saliency = maps.saliency()
    rows = math.ceil(len(saliency) / _COLUMNS)
    with canvas(7, 2.6 + 1.8 * rows) as (figure, drawn):
        grid = figure.add_gridspec(rows + 1, _COLUMNS, height_ratios=[1.4, *([1] * rows)])
        _distances(figure.add_subplot(grid[0, :]), maps)
        for head, weights in enumerate(saliency):
            axes = figure.add_subplot(grid[1 + head // _COLUMNS, head % _COLUMNS])
            height, width = pixels.shape[:2]
            axes.imshow(pixels)
            axes.imshow(weights, extent=(0, width, height, 0), cmap="inferno", alpha=0.6)
            axes.set_title(f"head {head + 1}")
            axes.set_axis_off()
    return drawn.svg


def _distances(axes: "Axes", maps: "Attention") -> None:
    for layer, heads in enumerate(maps.distances(), start=1):
        axes.plot([layer] * len(heads), heads, "o", color=BLUE, markersize=4, alpha=0.7)
    axes.set(xlabel="layer", ylabel="attention distance (pixels)")
    axes.grid(visible=True, color=SOFT, alpha=0.2)
