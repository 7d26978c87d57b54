"""A difference of two versions for people: Markdown for a pull request, a page of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.pages.gallery import Tile, search_page, thumbnail
from likewise.pages.markdown import code, table
from likewise.steps.diff import Difference
from likewise.steps.open import open as open_catalogue
from likewise.storage import journal

LISTED = 50
"""Changes that a text or page names; the counts are always of all."""


def diff_markdown(found: Difference) -> str:
    """The difference as Markdown: counts, columns, the first changes, drift, numbers."""
    was, now = found.items
    lines = [f"### {found.dataset}: {found.old} → {found.new}", ""]
    lines += [f"{was:,} items → {now:,} items; {summary(found)}", ""]
    if found.columns:
        said = ", ".join(f"`{name}` {how}" for name, how in found.columns.items())
        lines += [f"Columns: {said}", ""]
    lines += _section(("change", "item", "column", "was", "now"), _listed(found))
    if len(found.changes) > LISTED:
        lines += [f"… and {len(found.changes) - LISTED:,} more changes", ""]
    drifts = [(d.model, d.items, *(d.cosine or (None, None)), d.overlap) for d in found.drift]
    lines += _section(("model", "items", "mean cosine", "least", "same of 10 nearest"), drifts)
    numbers = [(m.run, m.metric, m.was, m.now) for m in found.metrics]
    lines += _section(("run", "metric", "was", "now"), numbers)
    return "\n".join(lines).rstrip() + "\n"


def write_diff(found: Difference, file: StrPath, *, workspace: StrPath | None = None) -> None:
    """Write a page with the pictures of the items that changed, the first ones of them.

    Raises:
        DataError: the page cannot be written.
        VersionError: pixels have to be fetched and cannot be.
    """
    rows = found.changes.head(LISTED)
    old, new = (
        open_catalogue(found.dataset, rev=rev, workspace=workspace)
        for rev in (found.old, None if found.new == "workspace" else found.new)
    )
    gone = pl.col("change") == "removed"
    tiles = [*_tiles(new, rows.filter(~gone)), *_tiles(old, rows.filter(gone))]
    title = f"{found.dataset}: {found.old} → {found.new}"
    try:
        journal.write_text(Path(file), search_page(title, [], tiles, summary(found)))
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror}") from error


def summary(found: Difference) -> str:
    """The counts of a difference in a line."""
    said = ", ".join(f"{number:,} {kind}" for kind, number in found.counts.items())
    return said or "no item differs"


def _listed(found: Difference) -> Iterator[tuple[object, ...]]:
    for change, item, column, was, now, iou in found.changes.head(LISTED).iter_rows():
        overlap = "" if iou is None else f" (IoU {iou:.2f})"
        yield change, code(item), column, was, f"{'' if now is None else now}{overlap}"


def _section(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table and an empty line; nothing for no rows."""
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
