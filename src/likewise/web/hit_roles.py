"""The role of the hits of a search, and the items that it leaves out."""

from typing import Any

import polars as pl

from likewise.web import grid_rows
from likewise.web.parameters import RowSelection
from likewise.web.shelf import Opened

_OTHER = {"gallery": "query", "query": "gallery"}
_MOST_KEPT = 64
"""Number of filters whose counts are kept: the pages of one search share a filter."""


def of_hits(opened: Opened, selection: RowSelection, role: str) -> dict[str, Any]:
    """Return the role of the hits, and the items of the other role that the filter keeps.

    Returns:
        ``of`` is the role; ``left_out`` is ``{role, items}``, the items that are not compared
        because they have the other role. ``left_out`` is None for ``any``, and if no item of
        the data set has the other role: then every item may be a hit.
    """
    other = _OTHER.get(role)
    if other is None or not _number(opened, RowSelection(), other):
        return {"of": role, "left_out": None}
    items = _number(opened, RowSelection(selection.where, selection.facets), other)
    return {"of": role, "left_out": {"role": other, "items": items}}


def _number(opened: Opened, selection: RowSelection, role: str) -> int:
    """Return the number of selected items that have ``role``, whatever their filter by role."""
    key = ("role", role, selection.where, tuple(sorted(selection.facets.items())))
    if key not in opened.cache:
        kept = [one for one in list(opened.cache) if one[:2] == ("role", role)]
        if len(kept) >= _MOST_KEPT:
            opened.cache.pop(kept[0], None)
        _, counted = grid_rows.counts(opened, selection, ["role"])
        items = counted["role"].filter(pl.col("value") == role)["items"]
        opened.cache[key] = int(items.sum())
    number: int = opened.cache[key]
    return number
