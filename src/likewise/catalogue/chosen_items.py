"""Choose items of a published data set by id, by an SQL condition, or both."""

from collections.abc import Sequence

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.catalogue.flags import drop_flagged
from likewise.errors import DataError
from likewise.storage.workspace import Workspace


def chosen_items(
    ws: Workspace,
    dataset: str,
    items: Sequence[str],
    where: str | None,
    flagged: pl.LazyFrame | None = None,
) -> list[str]:
    """Return the ids of ``items``, or of all items, that meet ``where``, in canonical order.

    Args:
        ws: the workspace.
        dataset: the data set or view.
        items: ids of items; all if empty.
        where: an SQL condition; None for none.
        flagged: image_id and item_id of rows that are left out; see ``drop_flagged``.

    Raises:
        DataError: neither ``items`` nor ``where`` nor ``flagged`` is given; or ``where`` is
            not a condition.
        UnknownNameError: there is no such item.
        MissingArtefactError: the data set was not published.
    """
    if isinstance(items, str):
        raise DataError(f"items is the text {items!r:.80}; give a list of ids")
    if not items and where is None and flagged is None:
        raise DataError("no items are given; give their ids, or a condition (where)")
    opened = Dataset(ws, dataset)
    names = opened.table.read(["item_id", "image_id"])
    if items:
        names = names[sorted(set(opened.positions(items).tolist()))]
    if where is not None:
        met = opened.browse(where=where, limit=0, columns=["item_id"]).positions
        held = opened.rows(met, ["item_id"])["item_id"]
        names = names.filter(pl.col("item_id").is_in(held.implode()))
    if flagged is not None:
        names = drop_flagged(names.lazy(), flagged).collect()
    return names["item_id"].to_list()
