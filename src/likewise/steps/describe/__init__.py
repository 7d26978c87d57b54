"""Compute the statistics of a data set."""

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import count_items, count_splits, frequencies
from likewise.errors import MissingArtefactError
from likewise.formats.paths import StrPath
from likewise.steps.describe.statistics import LabelCount, SplitCounts, Spread, Statistics
from likewise.steps.show import show
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

_IMAGES = ("image_id", "width", "height", "nbytes", "mode")
_LICENCE = ("licence", "license")
"""Columns of a source with the licence of each item."""


def describe(dataset: str, *, workspace: StrPath | None = None) -> Statistics:
    """Compute the statistics of ``dataset``, from its published table if there is one.

    Args:
        dataset: name of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: the data set was not ingested.

    Example:
        >>> statistics = likewise.describe("emoji")
        >>> statistics
        Statistics(emoji: 23 items in 23 images, 6 labels)
        >>> statistics.labels[0]
        LabelCount(label='0', text='house', items=5)
        >>> statistics.sizes["width"].median
        160.0
    """
    shown = show(dataset, workspace=workspace)
    ws = open_workspace(workspace)
    if shown.contents is None:
        what = f"data set {dataset!r} is not ingested yet"
        raise MissingArtefactError(what, artefacts.table(ws, dataset, "items").command)
    items, images = _items(ws, dataset), _images(ws, dataset)
    boxes = _boxes(items, images)
    licence = [name for name in _LICENCE if name in items.columns][:1]
    return Statistics(
        dataset,
        shown.card,
        shown.contents,
        ws,
        parts=_parts(items),
        labels=_labels(items),
        sizes=_sizes(images),
        modes=frequencies(images["mode"]),
        boxes={name: _spread(boxes[name]) for name in boxes.columns if len(boxes)},
        boxed=len(boxes),
        licences=frequencies(items[licence[0]].drop_nulls()) if licence else {},
        findings=shown.findings,
        flags=_flags(ws, dataset),
    )


def _items(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return the items as published (with corrections), or else as ingested."""
    path = versions.locate(ws, ws.published(dataset))
    if not tables.exists(path):
        path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    columns = ("image_id", "label", "text", "subset", "split", "box", *_LICENCE)
    return table.read([name for name in columns if name in table.schema.names])


def _images(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return the facts of every image, from the published table if the images are missing."""
    path = versions.locate(ws, ws.table(dataset, "images"))
    if not tables.exists(path):
        path = versions.locate(ws, ws.published(dataset))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    return table.read(_IMAGES).unique("image_id")


def _parts(items: pl.DataFrame) -> list[SplitCounts]:
    counts = count_splits(items.lazy(), "split", "subset")
    return [SplitCounts(*row) for row in counts.iter_rows()]


def _labels(items: pl.DataFrame) -> list[LabelCount]:
    counts = count_items(items.lazy().filter(pl.col("label").is_not_null()), "label")
    ordered = counts.sort(["items", "label"], descending=[True, False])
    return [LabelCount(*row) for row in ordered.iter_rows()]


def _sizes(images: pl.DataFrame) -> dict[str, Spread]:
    width, height = pl.col("width"), pl.col("height")
    numbers = images.select(
        width,
        height,
        (width / height).alias("aspect ratio"),
        (width.cast(pl.Int64) * height).alias("megapixels"),
        pl.col("nbytes").alias("kB"),
    )
    units = {"megapixels": 1e6, "kB": 1e3}
    return {name: _spread(numbers[name], units.get(name, 1)) for name in numbers.columns}


def _boxes(items: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Return width, height (pixels) and share of the image's area (0 to 1) of every box."""
    x1, y1, x2, y2 = (pl.col("box").arr.get(corner).cast(pl.Float64) for corner in range(4))
    area = pl.col("width").cast(pl.Int64) * pl.col("height")
    boxed = items.filter(pl.col("box").is_not_null()).join(
        images, on="image_id", maintain_order="left"
    )
    return boxed.select(
        (x2 - x1).alias("box width"),
        (y2 - y1).alias("box height"),
        ((x2 - x1) * (y2 - y1) / area).alias("share of the image"),
    )


def _spread(values: pl.Series, unit: float = 1) -> Spread:
    ordered = values.cast(pl.Float64).sort()
    ranks = (round(share * (len(ordered) - 1)) for share in (0, 0.05, 0.5, 0.95, 1))
    return Spread(*(float(ordered[rank]) / unit for rank in ranks))


def _flags(ws: Workspace, dataset: str) -> dict[str, int]:
    path = versions.locate(ws, ws.table(dataset, "flags"))
    if not tables.exists(path):
        return {}
    return frequencies(tables.open_table(path, "").read(["flag"])["flag"])
