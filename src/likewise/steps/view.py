"""Publish a part of the items of a data set."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.curated_table import COLUMNS as CURATED
from likewise.catalogue.flags import drop_flagged, read_flagged
from likewise.catalogue.item_selections import read_selection
from likewise.catalogue.published_table import PublishedContent, last_version, write_published
from likewise.errors import DataError, UnknownNameError
from likewise.formats.paths import StrPath
from likewise.formats.sql_text import without_texts
from likewise.retrieval.filters import matching_rows
from likewise.retrieval.indexes.lance import Ann
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import (
    VIEW_SECTIONS,
    AnyView,
    FilteredView,
    SelectedView,
    View,
)
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Viewed:
    """The result of ``view``.

    Attributes:
        view: name of the view.
        items: number of its items.
        left_out: number of items of the data set that it leaves out.
        unknown: number of items of its selection that the data set does not have.
    """

    view: str
    items: int
    left_out: int
    unknown: int = 0


def view(name: str, *, workspace: StrPath | None = None) -> Viewed:
    """Write the view ``name`` of params.yaml: a published table with a part of the items.

    The section ``views`` leaves out items with flags, ``filtered`` has the items that meet a
    condition on the published columns, and ``selected`` those of a selection. A view is opened,
    searched and scored by its name, like a data set. A view has no pixels; its images are those
    of its data set.

    Args:
        name: name of the view.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such view.
        MissingArtefactError: the data set was not published or, for flags, not checked.
        DataError: no item would be left.

    Example:
        >>> with open("params.yaml", "a") as params:
        ...     print("checks: {emoji: {max_brightness: 0.8}}", file=params)
        ...     print("views: {darker: {of: emoji, without: [bright]}}", file=params)
        >>> _ = likewise.measure("emoji")
        >>> likewise.check("emoji").flags["bright"]
        20
        >>> likewise.view("darker")
        Viewed(view='darker', items=3, left_out=20, unknown=0)
    """
    ws = open_workspace(workspace)
    if name not in ws.params.all_views:
        ws.params.refuse_broken(name, VIEW_SECTIONS)
        raise UnknownNameError("view", name, ws.params.all_views, "params.yaml")
    with no_takedown(ws, name, f"view-{name}"):
        return _view(ws, name)


def _view(ws: Workspace, name: str) -> Viewed:
    """Choose the items of a view, and write its table."""
    entry = ws.params.all_views[name]
    command = artefacts.published(ws, entry.of).command
    whole = tables.open_table(versions.locate(ws, ws.published(entry.of)), command)
    items = whole.read(["item_id", "image_id", "label", "split"])
    mask, unknown = _mask(ws, entry, whole, items)
    if not mask.any():
        condition = "every item of {!r} has one of these flags"
        if not isinstance(entry, View):
            condition = "no item of {!r} meets its condition"
        raise DataError(f"view {name!r}: {condition.format(entry.of)}")
    models = whole.vector_columns
    plain = [column for column in whole.schema.names if column not in models]
    parts = PublishedContent(
        job=f"view-{name}",
        schema=pa.schema([whole.schema.field(column) for column in (*plain, *models)]),
        rows=_rows(whole, mask, plain),
        vectors={model: _rows(whole, mask, [model]) for model in models},
        count=int(mask.sum()),
        further=[column.name for column in whole.source_columns],
        anns={model: Ann() for model in models},
    )
    write_published(ws, name, parts, last_version(ws, name))
    return Viewed(name, int(mask.sum()), int((~mask).sum()), unknown)


def _mask(
    ws: Workspace, entry: AnyView, whole: tables.Table, items: pl.DataFrame
) -> tuple[Mask, int]:
    """Return a mask (n,) of the items of a view, and the number of unknown selected items."""
    if isinstance(entry, FilteredView):
        return _matching(whole, entry.where), 0
    if isinstance(entry, SelectedView):
        chosen = read_selection(ws, entry.of, entry.selection)
        selected: Mask = items["item_id"].is_in(pl.Series(chosen).implode()).to_numpy()
        return selected, len(chosen) - int(selected.sum())
    kept = (
        drop_flagged(items.lazy(), read_flagged(ws, entry.of, entry.without))
        .select("item_id")
        .collect()
    )
    mask: Mask = items["item_id"].is_in(kept["item_id"].implode()).to_numpy()
    return mask, 0


def _matching(whole: tables.Table, where: str) -> Mask:
    """Return a mask (n,) of the rows that meet ``where``.

    Raises:
        DataError: it is not a condition on the published columns.
    """
    for column in (c for c in CURATED if c not in whole.columns):
        if re.search(rf"\b{column}\b", without_texts(where)):
            raise DataError(
                f"filtered: where: {column} are not in the published table, on which the "
                "stage depends; select the items (likewise select), and make a view of the "
                "selection (section selected of params.yaml)"
            )
    return matching_rows(whole, where)


def _rows(whole: tables.Table, mask: Mask, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield ``columns`` of the rows of the whole table that ``mask`` keeps."""
    start = 0
    for batch in whole.scan(columns):
        kept = batch.filter(pa.array(mask[start : start + len(batch)]))
        start += len(batch)
        if len(kept):
            yield kept
