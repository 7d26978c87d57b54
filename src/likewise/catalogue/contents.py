"""Counts of the items and images of a data set."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import polars as pl

from likewise.catalogue.counting import count_items, count_splits, frequencies
from likewise.storage import tables, versions
from likewise.storage.digests import Digests, read_digests
from likewise.storage.workspace import Workspace

FIRST_LABELS = 8
"""Number of labels that are listed as examples."""


_FACTS = ("width", "height", "nbytes", "format")


@dataclass(frozen=True)
class LabelFacts:
    """Numbers of classes, of items per class and of items without one, and the first labels."""

    number: int
    fewest: int
    median: float
    most: int
    unlabelled: int
    first: list[str]


@dataclass(frozen=True)
class SplitFacts:
    """Numbers of items and classes of a split, and a digest of its items and their labels.

    Splits with equal digests are equal. The split "" is that of items without a split.
    """

    split: str
    items: int
    labels: int
    digest: str | None


@dataclass(frozen=True)
class Contents:
    """Counts of a data set's items and images; ranges are (minimum, maximum)."""

    items: int = 0
    images: int = 0
    labels: LabelFacts | None = None
    splits: dict[str, int] = field(default_factory=dict)
    subsets: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    widths: tuple[int, int] = (0, 0)
    heights: tuple[int, int] = (0, 0)
    nbytes: int = 0
    parts: list[SplitFacts] = field(default_factory=list)


def scan(path: Path) -> pl.LazyFrame | None:
    """Open a table as a lazy frame; None if it does not exist."""
    return tables.open_table(path, "dvc repro").frame() if tables.exists(path) else None


def contents_of(ws: Workspace, dataset: str) -> Contents | None:
    """Count items and images of the published table, or else of the ingested tables.

    Returns:
        None if the data set was not ingested.
    """
    items_path, images_path = ws.published(dataset), ws.table(dataset, "images")
    published = scan(versions.locate(ws, items_path))
    items = published
    if items is None:
        items_path = ws.table(dataset, "items")
        items = scan(versions.locate(ws, items_path))
    images = scan(versions.locate(ws, images_path))
    if images is None and published is not None:
        images = published.select("image_id", *_FACTS).unique("image_id")
    if items is None or images is None:
        return None
    with tables.damage_named(images_path):
        facts = images.select(*_FACTS).collect()
    digests = read_digests(ws.published_digests(dataset)) or read_digests(
        ws.digests(dataset, "items")
    )
    with tables.damage_named(items_path):
        return Contents(
            items=int(items.select(pl.len()).collect().item()),
            images=len(facts),
            labels=_labels(items),
            splits=_counts(items, "split"),
            subsets=_counts(items, "subset"),
            roles=_counts(items, "role"),
            formats=frequencies(facts["format"].drop_nulls()),
            widths=_range(facts["width"]),
            heights=_range(facts["height"]),
            nbytes=int(facts["nbytes"].sum()),
            parts=_splits(items, digests),
        )


def _splits(items: pl.LazyFrame, digests: Digests | None) -> list[SplitFacts]:
    """Return the splits in the order of their first rows, with digests from the digest file."""
    counts = count_splits(items, "split")
    known = {name: split.digest for name, split in digests.splits.items()} if digests else {}
    return [
        SplitFacts(split or "", number, labels, known.get(split or ""))
        for split, number, labels in counts.iter_rows()
    ]


def _counts(frame: pl.LazyFrame, column: str) -> dict[str, int]:
    """Count the values of ``column``, in the order of their first rows."""
    values = frame.select(column).drop_nulls()
    counts = values.group_by(column, maintain_order=True).len().collect()
    return dict(counts.iter_rows())


def _range(values: pl.Series) -> tuple[int, int]:
    return int(values.to_numpy().min()), int(values.to_numpy().max())


def _labels(items: pl.LazyFrame) -> LabelFacts | None:
    classes = count_items(items.filter(pl.col("label").is_not_null()), "label")
    if classes.is_empty():
        return None
    counts = classes["items"]
    total = int(items.select(pl.len()).collect().item())
    first = [
        label if text is None or text == label else f"{label} ({text})"
        for label, text in classes.head(FIRST_LABELS).select("label", "text").iter_rows()
    ]
    fewest, most = _range(counts)
    return LabelFacts(
        len(classes), fewest, median(counts), most, total - int(counts.sum()), first
    )
