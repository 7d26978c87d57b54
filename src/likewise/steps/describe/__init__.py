"""The statistics of a data set, and the page that shows them."""

from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.contents import Contents
from likewise.catalogue.counting import count_items, count_splits, frequencies
from likewise.errors import MissingArtefactError
from likewise.formats.paths import StrPath
from likewise.steps.show import show
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import Card
from likewise.storage.workspace import Workspace

_IMAGES = ("image_id", "width", "height", "nbytes", "mode")
_LICENCE = ("licence", "license")
"""Columns of a source's own that say the licence of single items."""


@dataclass(frozen=True)
class Spread:
    """How some numbers are spread: least, 5 %, median, 95 % and greatest of them.

    A quantile is the number of that rank, never one between two.
    """

    least: float
    low: float
    median: float
    high: float
    greatest: float


@dataclass(frozen=True)
class SplitCounts:
    """The items of one split and subset, and how many labels they have."""

    split: str | None
    subset: str | None
    items: int
    labels: int


@dataclass(frozen=True)
class LabelCount:
    """A label, its text, and how many items have it."""

    label: str
    text: str | None
    items: int


@dataclass(frozen=True)
class Statistics:
    """What a data set holds, in numbers.

    Attributes:
        dataset: its name.
        card: what it is, with licence and citation.
        contents: counts of items, images, splits, subsets, roles and formats.
        parts: items and labels of every split and subset, in canonical order.
        labels: every label, most items first, then by name.
        sizes: of images: width, height, aspect ratio (width / height), megapixels, kB.
        modes: pixel layout -> images, most first.
        boxes: of items with a box: width, height, share of the image's area (0 to 1).
        boxed: how many items have a box.
        licences: licence of single items -> how many have it, where the source says so.
        findings: check of ingest -> files.
        flags: flag of the last check -> images or items.
    """

    dataset: str
    card: Card
    contents: Contents
    parts: list[SplitCounts] = field(default_factory=list)
    labels: list[LabelCount] = field(default_factory=list)
    sizes: dict[str, Spread] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, Spread] = field(default_factory=dict)
    boxed: int = 0
    licences: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)


def describe(dataset: str, *, workspace: StrPath | None = None) -> Statistics:
    """The statistics of ``dataset``, from its published table where there is one.

    Raises:
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: it was not ingested.
    """
    found = show(dataset, workspace=workspace)
    ws = open_workspace(workspace)
    if found.contents is None:
        what = f"data set {dataset!r} is not ingested yet"
        raise MissingArtefactError(what, artefacts.table(ws, dataset, "items").command)
    items, images = _items(ws, dataset), _images(ws, dataset)
    boxes = _boxes(items, images)
    licence = [name for name in _LICENCE if name in items.columns][:1]
    return Statistics(
        dataset,
        found.card,
        found.contents,
        parts=_parts(items),
        labels=_labels(items),
        sizes=_sizes(images),
        modes=frequencies(images["mode"]),
        boxes={name: _spread(boxes[name]) for name in boxes.columns if len(boxes)},
        boxed=len(boxes),
        licences=frequencies(items[licence[0]].drop_nulls()) if licence else {},
        findings=found.findings,
        flags=_flags(ws, dataset),
    )


def _items(ws: Workspace, dataset: str) -> pl.DataFrame:
    """The items, as published (with people's corrections) or else as ingested."""
    path = versions.present(ws, ws.published(dataset))
    if not tables.exists(path):
        path = versions.present(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, artefacts.table(ws, dataset, "items").command)
    columns = ("image_id", "label", "text", "subset", "split", "box", *_LICENCE)
    return table.read([name for name in columns if name in table.schema.names])


def _images(ws: Workspace, dataset: str) -> pl.DataFrame:
    """The facts of every image, from the published table where the images are not here."""
    path = versions.present(ws, ws.table(dataset, "images"))
    if not tables.exists(path):
        path = versions.present(ws, ws.published(dataset))
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
    """width, height (pixels) and share of the image's area of every box."""
    x1, y1, x2, y2 = (pl.col("box").arr.get(corner).cast(pl.Float64) for corner in range(4))
    area = pl.col("width").cast(pl.Int64) * pl.col("height")
    there = items.filter(pl.col("box").is_not_null()).join(
        images, on="image_id", maintain_order="left"
    )
    return there.select(
        (x2 - x1).alias("box width"),
        (y2 - y1).alias("box height"),
        ((x2 - x1) * (y2 - y1) / area).alias("share of the image"),
    )


def _spread(values: pl.Series, unit: float = 1) -> Spread:
    ordered = values.cast(pl.Float64).sort()
    ranks = (round(share * (len(ordered) - 1)) for share in (0, 0.05, 0.5, 0.95, 1))
    return Spread(*(float(ordered[rank]) / unit for rank in ranks))


def _flags(ws: Workspace, dataset: str) -> dict[str, int]:
    path = versions.present(ws, ws.table(dataset, "flags"))
    if not tables.exists(path):
        return {}
    return frequencies(tables.open_table(path, "").read(["flag"])["flag"])
