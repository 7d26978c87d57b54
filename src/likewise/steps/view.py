"""Publish a data set without flagged items."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.flags import drop_flagged, read_flagged
from likewise.catalogue.published_table import PublishedContent, last_version, write_published
from likewise.errors import DataError, UnknownNameError
from likewise.formats.paths import StrPath
from likewise.retrieval.indexes.lance import Ann
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Viewed:
    """The result of ``view``.

    Attributes:
        view: name of the view.
        items: number of its items.
        left_out: number of items of the data set that it leaves out.
    """

    view: str
    items: int
    left_out: int


def view(name: str, *, workspace: StrPath | None = None) -> Viewed:
    """Write the view ``name`` of params.yaml: a published table without items that have a flag.

    A view is opened, searched and scored by its name, like a data set. A view has no pixels;
    its images are those of its data set.

    Args:
        name: name of the view.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such view.
        MissingArtefactError: the data set was not published or not checked.
        DataError: no item would be left.

    Example:
        >>> with open("params.yaml", "a") as params:
        ...     print("checks: {emoji: {max_brightness: 0.8}}", file=params)
        ...     print("views: {darker: {of: emoji, without: [bright]}}", file=params)
        >>> _ = likewise.measure("emoji")
        >>> likewise.check("emoji").flags["bright"]
        20
        >>> likewise.view("darker")
        Viewed(view='darker', items=3, left_out=20)
    """
    ws = open_workspace(workspace)
    if name not in ws.params.views:
        ws.params.refuse_broken(name, ("views",))
        raise UnknownNameError("view", name, ws.params.views, "params.yaml")
    entry = ws.params.views[name]
    command = artefacts.published(ws, entry.of).command
    whole = tables.open_table(versions.locate(ws, ws.published(entry.of)), command)
    items = whole.read(["item_id", "image_id", "label", "split"])
    mask = _mask(ws, entry.of, items, entry.without)
    if not mask.any():
        raise DataError(f"view {name!r}: every item of {entry.of!r} has one of these flags")
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
    return Viewed(name, int(mask.sum()), int((~mask).sum()))


def _mask(ws: Workspace, dataset: str, items: pl.DataFrame, without: Collection[str]) -> Mask:
    """Return a mask (n,) of the ``items`` that have none of the flags ``without``."""
    kept = (
        drop_flagged(items.lazy(), read_flagged(ws, dataset, without))
        .select("item_id")
        .collect()
    )
    mask: Mask = items["item_id"].is_in(kept["item_id"].implode()).to_numpy()
    return mask


def _rows(whole: tables.Table, mask: Mask, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield ``columns`` of the rows of the whole table that ``mask`` keeps."""
    start = 0
    for batch in whole.scan(columns):
        kept = batch.filter(pa.array(mask[start : start + len(batch)]))
        start += len(batch)
        if len(kept):
            yield kept
