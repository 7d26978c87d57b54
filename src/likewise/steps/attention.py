"""Measure the attention distances of vision transformers, on an image or on a data set."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError, MissingArtefactError
from likewise.formats.array_types import Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.models import recipes
from likewise.models.passport import Passport
from likewise.models.training.attention_statistics import (
    AttentionStatistics,
    attention_statistics,
)
from likewise.pages.attention_plot import (
    LayerCurves,
    attention_figure,
    attention_page,
    heads_figure,
)
from likewise.pages.svg import Drawing
from likewise.pages.written import write_page
from likewise.retrieval.filters import matching_rows
from likewise.retrieval.search_options import Picture
from likewise.retrieval.search_query import open_picture
from likewise.retrieval.selection_filter import with_selection
from likewise.storage import artefacts, versions
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from PIL import Image
    from tqdm import tqdm

    from likewise.models.training.attention_maps import Attention
    from likewise.models.training.image_encoder import ImageEncoder

_TOGETHER = 16
"""Number of images that are in memory at once."""


def attention(  # noqa: PLR0913 (the options of the command)
    models: str | Sequence[str],
    image: Picture | None = None,
    *,
    dataset: str | None = None,
    where: str | None = None,
    selection: str | None = None,
    sample: int = 100,
    figure: StrPath | None = None,
    html: StrPath | None = None,
    workspace: StrPath | None = None,
) -> pl.DataFrame:
    """Measure how far the heads of vision transformers attend, and how patches differ.

    The values are those of one image, or means over images of a data set. The attention
    distance of a head is the mean distance of patches to other patches, weighted by attention
    (Dosovitskiy et al., ICLR 2021, appendix D.7). The variance of the patch tokens after a
    layer is taken over the patches of an image and averaged over the channels. Models that
    embed queries and gallery differently see each item by its role.

    Args:
        models: a model of params.yaml, or several; vision transformers of timm, trained or not.
        image: a file, its bytes or a PIL image.
        dataset: a data set or view, in place of ``image``.
        where: only items that meet this SQL condition.
        selection: only items of this selection.
        sample: maximum number of items, evenly spread; 0 for all.
        figure: an SVG or PNG file to write. It shows distances and variances by layer, one line
            for each model. For one model and ``image`` it shows the distances, and for every
            head of the last layer the attention of the class token as a heat map.
        html: a page to write, with the figure of the layers and a table.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        A frame with one row per head, sorted by model (as given), layer and head: model, layer
        (from 1, the first is next to the input), name of the layer, head (from 1), distance
        (pixels of the model's input), deviation (its standard deviation over the images),
        token_variance, token_share (variance / mean square, 0 to 1; both are equal for all
        heads of a layer) and images (their number).

    Raises:
        UnknownNameError: params.yaml has no such model or data set.
        MissingArtefactError: a model was not made yet, or the data set was not published.
        DataError: a model is not a vision transformer, no item meets the condition, an image
            cannot be decoded, options do not fit together, or a file cannot be written.

    Example:
        With the model ``vit: {kind: timm, backbone: test_vit.r160_in1k, weights: random}``
        in params.yaml:

        >>> passport = likewise.load("vit")
        >>> distances = likewise.attention("vit", "pictures/0_noto.jpg")
        >>> distances.group_by("name", maintain_order=True).len().rows()[0]
        ('blocks.0.attn', 2)
        >>> round(distances["distance"].mean())
        83
        >>> likewise.attention("vit", dataset="emoji", sample=4)["images"].unique().to_list()
        [4]
    """
    ws = open_workspace(workspace)
    names = [models] if isinstance(models, str) else list(dict.fromkeys(models))
    _check_options(names, image, dataset, where, selection, figure)
    folders = {name: _folder(ws, name) for name in names}
    title = f"Attention on {_picture_name(image)}"
    measured: dict[str, AttentionStatistics] = {}
    if image is not None:
        picture = open_picture(image)
        measured = {name: _on_image(folder, picture) for name, folder in folders.items()}
        if figure is not None and len(names) == 1:
            _write_figure(figure, _heads(names[0], folders[names[0]], picture, title))
    elif dataset is not None:
        opened = Dataset(ws, dataset)
        positions = _positions(opened, where, selection, sample)
        title = f"Attention on {counted(len(positions), 'item')} of {opened.card.title}"
        measured = _over_items(folders, opened, positions)
    curves = [_curves(name, one) for name, one in measured.items()]
    if figure is not None and (dataset is not None or len(names) > 1):
        _write_figure(figure, attention_figure(curves, title))
    if html is not None:
        note = _note(measured[names[0]].images, dataset, where, selection)
        write_page(html, attention_page(title, note, curves))
    return pl.concat([_frame(name, one) for name, one in measured.items()])


def _check_options(
    names: Sequence[str],
    image: Picture | None,
    dataset: str | None,
    where: str | None,
    selection: str | None,
    figure: StrPath | None,
) -> None:
    """Refuse options that do not fit together.

    Raises:
        DataError: a model, or the image or the data set, is missing; both are given; or the
            figure is neither SVG nor PNG.
    """
    if not names:
        raise DataError("no model is given; name one of params.yaml")
    if (image is None) == (dataset is None):
        raise DataError("give either an image or a data set")
    if dataset is None and (where is not None or selection is not None):
        raise DataError("where and selection choose items of a data set; give dataset, too")
    if figure is not None and Path(figure).suffix.lower() not in (".svg", ".png"):
        raise DataError(f"the figure {Path(figure).name!r} must end in .svg or .png")


def _folder(ws: Workspace, model: str) -> Path:
    """Return the folder of a model.

    Raises:
        UnknownNameError: params.yaml has no such model.
        MissingArtefactError: it was not made yet.
    """
    ws.params.section(model)
    folder = versions.locate(ws, ws.model(model))
    if not folder.is_dir():
        command = artefacts.model(ws, model).command
        raise MissingArtefactError(f"model {model!r} is not on this machine", command)
    return folder


def _positions(
    dataset: Dataset, where: str | None, selection: str | None, sample: int
) -> Int64Array:
    """Return the positions of at most ``sample`` items that meet a condition, evenly spread.

    Raises:
        DataError: there is none, or ``sample`` is negative.
    """
    if sample < 0:
        raise DataError(f"sample is {sample}; give a number of items, or 0 for all")
    condition = with_selection(where, selection, dataset.table)
    positions = np.arange(len(dataset))
    if condition is not None:
        positions = np.flatnonzero(matching_rows(dataset.table, condition))
    if not len(positions):
        raise DataError(f"{dataset.name} has no item for which {condition!r} holds")
    if 0 < sample < len(positions):
        positions = positions[np.linspace(0, len(positions) - 1, sample).round().astype(int)]
    return positions.astype(np.int64)


def _over_items(
    folders: dict[str, Path], dataset: Dataset, positions: Int64Array
) -> dict[str, AttentionStatistics]:
    """Return the values of every model, averaged over items."""
    from tqdm import tqdm

    total = len(folders) * len(positions)
    measured = {}
    with tqdm(total=total, unit="image", desc="attention", disable=None) as bar:
        for name, folder in folders.items():
            maps = _maps(folder, dataset, positions, bar)
            measured[name] = attention_statistics(maps)
    return measured


def _maps(
    folder: Path, dataset: Dataset, positions: Int64Array, bar: "tqdm[Any]"
) -> "Iterator[Attention]":
    """Yield the attention of a model for items, each by the encoder of its role."""
    by_role = Passport.read(folder).by_role
    roles = dataset.table.read(["role"])["role"]
    encoders: dict[str | None, ImageEncoder] = {}
    for position, picture in _pictures(dataset, positions):
        role = roles[position] if by_role else None
        if role not in encoders:
            encoders[role] = recipes.load(folder, role)
        yield encoders[role].attention(picture)
        bar.update()


def _pictures(dataset: Dataset, positions: Int64Array) -> "Iterator[tuple[int, Image.Image]]":
    """Yield positions and images of items, a few in memory at once."""
    for start in range(0, len(positions), _TOGETHER):
        part = positions[start : start + _TOGETHER].tolist()
        yield from zip(part, dataset.images_at(part), strict=True)


def _on_image(folder: Path, picture: "Image.Image") -> AttentionStatistics:
    return attention_statistics([recipes.load(folder).attention(picture)])


def _heads(name: str, folder: Path, picture: "Image.Image", title: str) -> Drawing:
    """Draw the heads of a model for one image."""
    encoder = recipes.load(folder)
    maps = encoder.attention(picture)
    curves = _curves(name, attention_statistics([maps]))
    pixels = np.asarray(encoder.seen(picture))
    return heads_figure(curves, maps.saliency(), pixels, f"{title}, model {name}")


def _curves(name: str, one: AttentionStatistics) -> LayerCurves:
    return LayerCurves(name, one.width, one.distances, one.variances, one.shares, one.uniform)


def _picture_name(image: Picture | None) -> str:
    return Path(image).name if isinstance(image, str | os.PathLike) else "one image"


def _write_figure(path: StrPath, drawn: Drawing) -> None:
    """Write a figure in the format of the file's suffix."""
    write_page(path, drawn.png if Path(path).suffix.lower() == ".png" else drawn.svg)


def _note(images: int, dataset: str | None, where: str | None, selection: str | None) -> str:
    """Describe the images of a page."""
    if dataset is None:
        return "One image."
    text = f"Means over {counted(images, 'item')} of {dataset}"
    text += f", of the selection {selection}" if selection else ""
    return text + (f", where {where}." if where else ".")


def _frame(model: str, measured: AttentionStatistics) -> pl.DataFrame:
    """Return one row per head."""
    layers, heads = measured.distances.shape
    return pl.DataFrame(
        {
            "model": [model] * (layers * heads),
            "layer": np.repeat(np.arange(1, layers + 1), heads),
            "name": np.repeat(measured.layers, heads).tolist(),
            "head": np.tile(np.arange(1, heads + 1), layers),
            "distance": measured.distances.ravel(),
            "deviation": measured.deviations.ravel(),
            "token_variance": np.repeat(measured.variances, heads),
            "token_share": np.repeat(measured.shares, heads),
            "images": [measured.images] * (layers * heads),
        }
    )
