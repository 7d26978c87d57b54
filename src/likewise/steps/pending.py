"""List the corrections that the published table does not contain yet."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.correctable_items import open_correctable
from likewise.catalogue.corrections import Corrections
from likewise.errors import MissingArtefactError
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


@dataclass(frozen=True, order=True)
class PendingCorrection:
    """A correction that the published table does not contain yet.

    Attributes:
        item_id: the item.
        column: its column.
        published: the published value as text; None if it is empty.
        corrected: the corrected value; None if it is empty.
    """

    item_id: str
    column: str
    published: str | None
    corrected: str | None


@dataclass(frozen=True)
class PendingCorrections:
    """The result of ``pending``.

    Attributes:
        dataset: name of the data set.
        file: path of the corrections, relative to the root of the catalogue.
        command: the command that publishes the corrections.
        corrections: number of corrections in the file.
        rows: the corrections that are not published yet, by item and column.
        unknown: items with corrections that the published table does not have.
        columns: the columns that can be corrected; none while the items are not pulled.
    """

    dataset: str
    file: str
    command: str
    corrections: int
    rows: list[PendingCorrection]
    unknown: list[str]
    columns: list[str] = field(default_factory=list, repr=False)


def pending(dataset: str, *, workspace: StrPath | None = None) -> PendingCorrections:
    """List the corrections that the published table of ``dataset`` does not contain yet.

    Only the rows of corrected items are read.

    Args:
        dataset: name of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the file of corrections cannot be parsed.
        MissingArtefactError: the data set was not published.
        UnknownNameError: params.yaml has no such data set.

    Example:
        >>> _ = likewise.correct("emoji", ["0_znoto.jpg"], {"label": "1000"})
        >>> likewise.pending("emoji").rows[0]
        PendingCorrection(item_id='0_znoto.jpg', column='label', published='0',
                          corrected='1000')
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    made = artefacts.published(ws, dataset)
    path = versions.locate(ws, made.path)
    table, ids = _opened(path, made.command, tables.manifest_hash(path))
    file = ws.corrections(dataset)
    known = corrections.read(file)
    items = list(dict.fromkeys(key.item_id for key in known))
    positions = ids.positions(items)
    unknown = [one for one, at in zip(items, positions, strict=True) if at == tables.NO_ROW]
    present = np.sort(positions[positions != tables.NO_ROW]).tolist()
    rows = sorted(_compared(table, known, present, ws.relative(file)))
    where, columns = ws.relative(file), _correctable(ws, dataset)
    return PendingCorrections(
        dataset, where, made.command, len(known), rows, sorted(unknown), columns
    )


def _correctable(ws: Workspace, dataset: str) -> list[str]:
    """Return the columns that can be corrected, in the order of the table of items."""
    try:
        names = open_correctable(ws, dataset).table.schema.names
    except MissingArtefactError:
        return []
    return [name for name in names if name not in corrections.FIXED]


@lru_cache(maxsize=2)
def _opened(path: Path, command: str, version: str) -> tuple[tables.Table, tables.RowIndex]:
    """Open the table in ``path``; its ``version`` tells the states of the folder apart."""
    del version
    table = tables.open_table(path, command)
    return table, tables.RowIndex(table, "item_id")


def _compared(
    table: tables.Table, known: Corrections, positions: list[int], where: str
) -> Iterator[PendingCorrection]:
    """Yield the corrections whose values differ from those of the rows at ``positions``.

    Values are compared in the type of their column: 0.50 is published as 0.5.
    """
    columns = sorted({key.column for key in known}.intersection(table.metadata_columns))
    if not positions or not columns:
        return
    published = tables.read_at(table, positions, ["item_id", *columns])
    corrected = corrections.apply_corrections(published, known, where)
    for column in columns:
        pairs = pl.DataFrame(
            {"item_id": published["item_id"], "was": published[column], "is": corrected[column]}
        ).filter(pl.col("is").ne_missing(pl.col("was")))
        for item, was, value in pairs.with_columns(
            pl.exclude("item_id").cast(pl.String)
        ).rows():
            yield PendingCorrection(item, column, was, value)
