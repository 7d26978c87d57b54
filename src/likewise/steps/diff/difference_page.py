"""Contents of the page of a difference: every changed item once, counts, drift, metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.pages.gallery import Tile, thumbnail
from likewise.pages.rendering import same_digits
from likewise.steps.diff.drift import Drift
from likewise.steps.diff.metric_change import MetricChange

SHOWN = 50
"""Maximum number of items that the page shows; the counts include all."""

DRIFT_HEADS = (
    "model",
    "items",
    "mean cosine",
    "minimum cosine",
    "overlap of 10 nearest neighbours",
)
METRIC_HEADS = ("run", "metric", "old", "new", "difference")

_MEANINGS = {
    "added": "items only in the new version",
    "removed": "items only in the old version",
    "renamed": "same pixels and box, another id",
    "relabelled": "another label, or another text of the label",
    "moved": "another split, subset or role",
    "box": "another box",
    "image": "another image file",
    "changed": "another value in a further column",
}
_COLUMNS = {
    "item_id": "item id",
    "sha256": "image (SHA-256)",
    "box": "box (x1, y1, x2, y2 in pixels)",
}
"""Column -> its name on the page, if that is another one."""

_DIGEST, _VALUE = 16, 120
"""Number of characters of a digest and of another value that the page shows."""


@dataclass(frozen=True)
class ChangedValue:
    """One value that changed; None if a version has no value.

    Attributes:
        column: name of the column, with its unit.
        old: the value in the old version.
        new: the value in the new version.
        iou: intersection over union of the two boxes, 0 to 1; None for other values.
        length: number of characters that the page shows of a value.
    """

    column: str
    old: str | None
    new: str | None
    iou: float | None
    length: int


@dataclass(frozen=True)
class ChangedItem:
    """An item that changed: its id, the kinds of its changes, its pictures and values."""

    name: str
    kinds: list[str]
    pictures: list[Tile]
    values: list[ChangedValue]


def changed_items(changes: pl.DataFrame, old: Dataset, new: Dataset) -> list[ChangedItem]:
    """Return the first items that changed, in the order of the changes, with all changes.

    Args:
        changes: one row per change; see ``Difference.changes``.
        old: the old version.
        new: the new version.

    Raises:
        VersionError: images are not on this machine and cannot be fetched.
    """
    first = changes.select(pl.col("item_id").unique(maintain_order=True)).head(SHOWN)
    distinct = changes.unique(maintain_order=True)
    rows = first.join(distinct, on="item_id", maintain_order="left_right")
    pictures = _pictures(rows, old, new)
    return [
        ChangedItem(
            str(name),
            part["change"].unique(maintain_order=True).to_list(),
            pictures[str(name)],
            [_value(row) for row in part.iter_rows(named=True)],
        )
        for (name,), part in rows.group_by("item_id", maintain_order=True)
    ]


def count_rows(counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Return one row per kind of change: kind, number of items, meaning."""
    return [(kind, f"{number:,}", _MEANINGS.get(kind, "")) for kind, number in counts.items()]


def column_rows(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return one row per kind of change of a column: kind, names of the columns."""
    kinds = dict.fromkeys(columns.values())
    return [(kind, ", ".join(n for n, how in columns.items() if how == kind)) for kind in kinds]


def drift_rows(drift: Sequence[Drift]) -> list[tuple[str, ...]]:
    """Return one row per model; see ``DRIFT_HEADS``."""
    return [
        (
            one.model,
            f"{one.items:,}",
            *(("", "") if one.cosine is None else (f"{value:.4f}" for value in one.cosine)),
            f"{one.overlap:.4f}",
        )
        for one in drift
    ]


def metric_rows(metrics: Sequence[MetricChange]) -> list[tuple[str, ...]]:
    """Return one row per metric; see ``METRIC_HEADS``."""
    differences = [
        None if one.was is None or one.now is None else one.now - one.was for one in metrics
    ]
    values = [*(one.was for one in metrics), *(one.now for one in metrics), *differences]
    texts = same_digits(values)
    old, new, change = (texts[n * len(metrics) : (n + 1) * len(metrics)] for n in range(3))
    signed = [
        "" if d is None else f"+{t}" if d > 0 else t
        for d, t in zip(differences, change, strict=True)
    ]
    runs = ((one.run, one.metric) for one in metrics)
    return [
        (*run, *row) for run, row in zip(runs, zip(old, new, signed, strict=True), strict=True)
    ]


def _value(row: Mapping[str, Any]) -> ChangedValue:
    column = row["column"] or "label"  # of an added or a removed item, the label
    name, length = _COLUMNS.get(column, column), _DIGEST if column == "sha256" else _VALUE
    return ChangedValue(name, row["was"], row["now"], row["iou"], length)


def _pictures(rows: pl.DataFrame, old: Dataset, new: Dataset) -> dict[str, list[Tile]]:
    """Return the pictures of every item: one, or the old and the new one."""
    removed = rows.filter(change="removed")["item_id"].to_list()
    present = rows.filter(pl.col("change") != "removed")["item_id"]
    replaced = rows.filter(column="sha256")["item_id"].to_list()
    moved = rows.filter(column="box")["item_id"].to_list()
    before = _images(old, [*removed, *replaced])
    after = _images(new, present.unique(maintain_order=True).to_list())
    old_boxes = _boxes(old, [*removed, *replaced, *moved])
    tiles = {name: [Tile(name, thumbnail(before[name], old_boxes[name]))] for name in removed}
    new_boxes = _boxes(new, list(after))
    for name, data in after.items():
        shown = Tile(name, thumbnail(data, new_boxes[name]))
        tiles[name] = [shown]
        if name in replaced or name in moved:
            earlier = thumbnail(before.get(name, data), old_boxes[name])
            tiles[name] = [Tile(name, earlier, "old"), Tile(name, shown.picture, "new")]
    return tiles


def _images(side: Dataset, items: Sequence[str]) -> dict[str, bytes]:
    if not items:
        return {}
    return dict(zip(items, side.images(items, encoded=True), strict=True))


def _boxes(side: Dataset, items: Sequence[str]) -> dict[str, Sequence[float] | None]:
    if not items:
        return {}
    boxes = side.items.filter(pl.col("item_id").is_in(items)).select("item_id", "box")
    return dict(boxes.iter_rows())
