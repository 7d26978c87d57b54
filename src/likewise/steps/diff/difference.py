"""Difference of two versions: numbers, Markdown for a pull request, a page of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.gallery import Tile, search_page, thumbnail
from likewise.pages.markdown import code, table
from likewise.pages.written import write_page
from likewise.steps.diff.drift import Drift

LISTED = 50
"""Maximum number of changes that a text or page lists; the counts include all."""

_CHANGE_HEADS = ("change", "item", "column", "was", "now")
_DRIFT_HEADS = ("model", "items", "mean cosine", "least", "same of 10 nearest")
_METRIC_HEADS = ("run", "metric", "was", "now")


@dataclass(frozen=True)
class MetricChange:
    """A metric of a run's report in both versions; None if a version does not have it."""

    run: str
    metric: str
    was: float | None
    now: float | None


@dataclass(frozen=True)
class Difference:
    """Difference between two versions of a data set.

    Attributes:
        dataset: name of the data set.
        old: the earlier revision.
        new: the later revision, or ``workspace``.
        items: number of items in both.
        columns: column that differs -> ``added``, ``removed`` or ``changed``.
        changes: a frame with one row per change: ``change`` (added, removed, renamed,
            relabelled, moved, box, image, changed), ``item_id`` (the new one), ``column``,
            ``was``, ``now``, and for boxes ``iou``, the intersection over union (0 to 1).
        drift: of every model with other vectors, how far they moved.
        metrics: metrics of runs that differ.
        sides: both versions of the data set; ``to_html`` shows their pictures.
    """

    dataset: str
    old: str
    new: str
    items: tuple[int, int]
    columns: dict[str, str]
    changes: pl.DataFrame
    drift: list[Drift]
    metrics: list[MetricChange]
    sides: tuple[Dataset, Dataset] = field(repr=False, compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """Kind of change -> number of items."""
        named = self.changes.group_by("change", maintain_order=True)
        counted = named.agg(pl.col("item_id").n_unique())
        return dict(counted.iter_rows())

    @property
    def summary(self) -> str:
        """Counts in one line."""
        counts = ", ".join(f"{number:,} {kind}" for kind, number in self.counts.items())
        return counts or "no item differs"

    def to_markdown(self) -> str:
        """Return the difference as Markdown: counts, columns, first changes, drift, metrics."""
        was, now = self.items
        lines = [f"### {self._title}", ""]
        lines += [f"{was:,} items → {now:,} items; {self.summary}", ""]
        if self.columns:
            columns = ", ".join(f"`{name}` {how}" for name, how in self.columns.items())
            lines += [f"Columns: {columns}", ""]
        lines += _section(_CHANGE_HEADS, _listed(self.changes))
        if len(self.changes) > LISTED:
            lines += [f"… and {len(self.changes) - LISTED:,} more changes", ""]
        lines += _section(_DRIFT_HEADS, self._drift_rows())
        lines += _section(_METRIC_HEADS, self._metric_rows())
        return "\n".join(lines).rstrip() + "\n"

    def to_html(self, path: StrPath) -> None:
        """Write a page with the pictures of the first items that changed.

        The page is self-contained: it needs no other file and no network.

        Args:
            path: the file to write.

        Raises:
            DataError: the file cannot be written.
            VersionError: images are not here and cannot be fetched.
        """
        rows = self.changes.head(LISTED)
        old, new = self.sides
        gone = pl.col("change") == "removed"
        tiles = [*_tiles(new, rows.filter(~gone)), *_tiles(old, rows.filter(gone))]
        write_page(path, search_page(self._title, [], tiles, self.summary))

    def __repr__(self) -> str:
        was, now = self.items
        return f"Difference({self._title}; {was:,} items → {now:,} items; {self.summary})"

    def _repr_html_(self) -> str:
        was, now = self.items
        parts = [
            notebook.heading(self._title),
            notebook.paragraph(f"{was:,} items → {now:,} items; {self.summary}"),
        ]
        changes = self.changes.head(LISTED).rows()
        for heads, rows in (
            (("column", "change"), list(self.columns.items())),
            (tuple(self.changes.columns), changes),
            (_DRIFT_HEADS, self._drift_rows()),
            (_METRIC_HEADS, self._metric_rows()),
        ):
            parts += [notebook.table(heads, rows)] if rows else []
        if len(self.changes) > LISTED:
            parts.append(
                notebook.paragraph(f"The first {LISTED} of {len(self.changes):,} changes.")
            )
        return "".join(parts)

    @property
    def _title(self) -> str:
        return f"{self.dataset}: {self.old} → {self.new}"

    def _drift_rows(self) -> list[tuple[object, ...]]:
        return [(d.model, d.items, *(d.cosine or (None, None)), d.overlap) for d in self.drift]

    def _metric_rows(self) -> list[tuple[object, ...]]:
        return [(m.run, m.metric, m.was, m.now) for m in self.metrics]


def _listed(changes: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for change, item, column, was, now, iou in changes.head(LISTED).iter_rows():
        overlap = "" if iou is None else f" (IoU {iou:.2f})"
        yield change, code(item), column, was, f"{'' if now is None else now}{overlap}"


def _section(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table and an empty line, or nothing if there are no rows."""
    listed = list(rows)
    return [*table(columns, listed), ""] if listed else []


def _tiles(side: Dataset, rows: pl.DataFrame) -> list[Tile]:
    if rows.is_empty():
        return []
    items = rows["item_id"].to_list()
    boxes = dict(side.items.select("item_id", "box").iter_rows())
    pictures = side.images(items, encoded=True)
    return [
        Tile(item, thumbnail(data, boxes[item]), _caption(change, column, was, now))
        for data, (change, item, column, was, now) in zip(
            pictures, rows.drop("iou").iter_rows(), strict=True
        )
    ]


def _caption(change: str, column: str | None, was: str | None, now: str | None) -> str:
    if column is None:
        return change
    if column == "sha256":
        return "another picture"
    return f"{column}: {was} → {now}"
