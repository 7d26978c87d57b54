"""Count the items of each label of a data set."""

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import count_items
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions


def labels(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> pl.DataFrame:
    """Count the items of each label, per split and subset.

    Args:
        dataset: name of the data set.
        rev: git revision whose items are counted; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        One row per split, subset and label, in canonical order. Columns: split, subset, label,
        text and items, the number of items. A value is null where items have none.

    Raises:
        MissingArtefactError: the data set was not ingested yet.
        UnknownNameError: the catalogue has no such data set, or git no such revision.

    Example:
        >>> likewise.labels("emoji").select("label", "text", "items").rows()[:2]
        [('0', 'house', 5), ('200', 'elephant', 4)]
    """
    ws = open_workspace(workspace, rev=rev)
    ws.dataset(dataset)
    path = versions.locate(ws, ws.table(dataset, "items"))
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(path, command).frame()
    with tables.damage_named(path):
        return count_items(items, "split", "subset", "label")
