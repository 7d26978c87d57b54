"""How many items each label has."""

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import count_items
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions


def labels(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> pl.DataFrame:
    """How many items each label has in each split and subset, in canonical order.

    Columns: split, subset, label, text, items; null where items have none. ``rev`` names a git
    revision, to count as it was then.

    Raises:
        MissingArtefactError: it was not ingested yet.
        UnknownNameError: the catalogue has no such data set, or git no such revision.
    """
    ws = open_workspace(workspace, rev=rev)
    ws.dataset(dataset)
    path = versions.locate(ws, ws.table(dataset, "items"))
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(path, command).frame()
    return count_items(items, "split", "subset", "label")
