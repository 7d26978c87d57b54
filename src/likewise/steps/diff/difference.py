"""Difference of two versions: numbers, Markdown for a pull request, a page of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.markdown import code, inline, table
from likewise.pages.rendering import render
from likewise.pages.written import write_page
from likewise.steps.diff.curated_rows import CURATED
from likewise.steps.diff.difference_page import (
    DRIFT_HEADS,
    METRIC_HEADS,
    changed_items,
    column_rows,
    count_rows,
    drift_rows,
    metric_rows,
)
from likewise.steps.diff.drift import Drift
from likewise.steps.diff.metric_change import MetricChange

LISTED = 50
"""Maximum number of changes that a text lists; the counts include all."""

_CHANGE_HEADS = ("change", "item", "column", "old", "new")
CURATED_HEADS = ("file", "change", "item", "value")


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
        curated: ``tags``, ``reviews`` or ``selections`` that differ -> number of rows that only
            the new and only the old version has.
        curated_rows: a frame of these rows: file, change (added or removed), item_id, value.
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
    curated: dict[str, tuple[int, int]] = field(default_factory=dict)
    curated_rows: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=CURATED), repr=False
    )

    @property
    def counts(self) -> dict[str, int]:
        """Kind of change -> number of items."""
        grouped = self.changes.group_by("change", maintain_order=True)
        counted = grouped.agg(pl.col("item_id").n_unique())
        return dict(counted.iter_rows())

    @property
    def summary(self) -> str:
        """Counts in one line."""
        counts = ", ".join(f"{number:,} {kind}" for kind, number in self.counts.items())
        return counts or "no item differs"

    @property
    def curated_lines(self) -> list[str]:
        """A line for each kind of text that people changed."""
        return [
            f"{name}: {counted(added, 'row')} added, {removed:,} removed"
            for name, (added, removed) in self.curated.items()
        ]

    def to_markdown(self) -> str:
        """Return the difference as Markdown: counts, columns, first changes, drift, metrics."""
        was, now = self.items
        lines = [f"### {inline(self._title)}", ""]
        lines += [f"{counted(was, 'item')} → {counted(now, 'item')}; {self.summary}", ""]
        if self.columns:
            columns = ", ".join(f"{code(name)} {how}" for name, how in self.columns.items())
            lines += [f"Columns: {columns}", ""]
        lines += [line for text in self.curated_lines for line in (text, "")]
        lines += _section(CURATED_HEADS, self.curated_rows.head(LISTED).rows())
        lines += _section(_CHANGE_HEADS, _listed(self.changes))
        if len(self.changes) > LISTED:
            lines += [f"… and {counted(len(self.changes) - LISTED, 'more change')}", ""]
        lines += _section(DRIFT_HEADS, drift_rows(self.drift))
        lines += _section(METRIC_HEADS, metric_rows(self.metrics))
        return "\n".join(lines).rstrip() + "\n"

    def to_html(self, path: StrPath) -> None:
        """Write a page of the changes: every changed item once, with its old and new values.

        The page has one picture per item, and two for an image or a box that changed. It is
        self-contained: it needs no other file and no network.

        Args:
            path: the file to write.

        Raises:
            DataError: the file cannot be written.
            VersionError: images are not on this machine and cannot be fetched.
        """
        page = render(
            "diff.html",
            title=self._title,
            sizes=self.items,
            counts=count_rows(self.counts),
            total=self.changes["item_id"].n_unique(),
            items=changed_items(self.changes, *self.sides),
            columns=column_rows(self.columns),
            drift_heads=DRIFT_HEADS,
            drift=drift_rows(self.drift),
            curated=[(n, f"{a:,}", f"{r:,}") for n, (a, r) in self.curated.items()],
            curated_rows=self.curated_rows.head(LISTED).rows(),
            curated_total=len(self.curated_rows),
            metric_heads=METRIC_HEADS,
            metrics=metric_rows(self.metrics),
        )
        write_page(path, page)

    def __repr__(self) -> str:
        was, now = self.items
        return (
            f"Difference({self._title}; {counted(was, 'item')} → {counted(now, 'item')}; "
            f"{self.summary})"
        )

    def _repr_html_(self) -> str:
        was, now = self.items
        parts = [
            notebook.heading(self._title),
            notebook.paragraph(
                f"{counted(was, 'item')} → {counted(now, 'item')}; {self.summary}"
            ),
        ]
        changes = self.changes.head(LISTED).rows()
        for heads, rows in (
            (("column", "change"), list(self.columns.items())),
            ((*_CHANGE_HEADS, "IoU"), changes),
            (DRIFT_HEADS, drift_rows(self.drift)),
            (METRIC_HEADS, metric_rows(self.metrics)),
        ):
            parts += [notebook.table(heads, rows)] if rows else []
        if len(self.changes) > LISTED:
            parts.append(
                notebook.paragraph(
                    f"The first {LISTED} of {counted(len(self.changes), 'change')}."
                )
            )
        return "".join(parts)

    @property
    def _title(self) -> str:
        return f"{self.dataset}: {self.old} → {self.new}"


def _listed(changes: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for change, item, column, was, now, iou in changes.head(LISTED).iter_rows():
        overlap = "" if iou is None else f" (IoU {iou:.2f})"
        yield change, code(item), column, was or "", f"{now or ''}{overlap}"


def _section(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table and an empty line, or nothing if there are no rows."""
    listed = list(rows)
    return [*table(columns, listed), ""] if listed else []
