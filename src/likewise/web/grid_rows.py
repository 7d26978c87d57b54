"""Rows of selections: positions, counts and values. All reads of tables for pages are here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import likewise
from likewise.errors import DataError, UnknownNameError
from likewise.web.columns import PageColumn, columns_of
from likewise.web.conditions import condition, value_filters
from likewise.web.parameters import RowSelection
from likewise.web.shelf import Opened

Positions = npt.NDArray[np.int32]

PICTURED = ("content", "label", "text", "role")
"""Columns of an item that is shown as a tile."""

_IN_MEMORY = 1 << 18
"""Largest number of items whose columns for tiles are kept in memory: 40 MB."""


def browse(opened: Opened, selection: RowSelection, **further: Any) -> "likewise.Browsed":
    """Return a page of the selected rows; ``further`` are options of ``Dataset.browse``."""
    return opened.dataset.browse(**{**options(opened, selection), **further})


def options(opened: Opened, selection: RowSelection) -> dict[str, Any]:
    """Return the options of ``Dataset.browse`` that select the rows in their order.

    Raises:
        UnknownNameError: there is no such column, or it has no order.
    """
    columns = columns_of(opened)
    given: dict[str, Any] = {
        "where": condition(selection, columns),
        "filters": value_filters(selection, columns),
    }
    if selection.sort is not None:
        given["sort"], given["descending"] = sort_column(opened, selection.sort)
    chosen = {name: value for name, value in given.items() if value}
    if selection.region is not None:
        region = selection.region
        chosen["positions"] = opened.dataset.inside(region.name, region.corners)
    return chosen


def sort_column(opened: Opened, sort: str) -> tuple[str, bool]:
    """Return the column of a sort order, and True for descending.

    Raises:
        UnknownNameError: there is no such column, or it has no order.
    """
    name = sort.removeprefix("-")
    columns = columns_of(opened)
    if name not in columns or columns[name].kind not in ("text", "number"):
        known = [c.name for c in columns.values() if c.kind in ("text", "number")]
        raise UnknownNameError("column", name, known, opened.name)
    return name, sort.startswith("-")


def positions(opened: Opened, selection: RowSelection) -> Positions:
    """Return the positions of the selected rows in their order."""
    selected: Positions = browse(opened, selection, limit=0, columns=["item_id"]).positions
    return selected


def values(opened: Opened, rows: Sequence[int], names: Sequence[str]) -> pl.DataFrame:
    """Return the values of some rows, in their order."""
    return opened.dataset.rows(list(rows), list(names))


def pictured(opened: Opened, rows: Sequence[int]) -> pl.DataFrame:
    """Return the columns ``PICTURED`` of some rows, in their order."""
    table = opened.dataset.table
    if table.rows > _IN_MEMORY:
        return values(opened, rows, PICTURED)
    if PICTURED not in opened.cache:
        opened.cache[PICTURED] = table.read(PICTURED).rechunk()
    frame: pl.DataFrame = opened.cache[PICTURED]
    return frame[list(rows)]


def counts(
    opened: Opened, selection: RowSelection, names: Sequence[str]
) -> tuple[int, Mapping[str, pl.DataFrame]]:
    """Return the number of selected rows, and frames of ``value`` and ``items`` by column."""
    page = browse(opened, selection, facets=list(names), limit=0, columns=["item_id"])
    return page.total, page.counts


def counts_of_countable(
    opened: Opened, selection: RowSelection, names: Sequence[str]
) -> tuple[int, Mapping[str, pl.DataFrame]]:
    """Return ``counts``, without columns that have too many different values.

    Raises:
        DataError: the selection is wrong.
    """
    uncountable: set[str] = opened.cache.setdefault("uncountable", set())
    try:
        return counts(opened, selection, [name for name in names if name not in uncountable])
    except DataError:
        further = {name for name in names if not _is_countable(opened, name)} - uncountable
        if not further:
            raise
    uncountable |= further
    return counts_of_countable(opened, selection, names)


def _is_countable(opened: Opened, name: str) -> bool:
    try:
        counts(opened, RowSelection(), [name])
    except DataError:
        return False
    return True


def known(opened: Opened, name: str) -> PageColumn:
    """Return a column.

    Raises:
        UnknownNameError: there is no such column.
    """
    columns = columns_of(opened)
    if name not in columns:
        raise UnknownNameError("column", name, columns, opened.name)
    return columns[name]


def has(opened: Opened, row: int, column: str, value: str) -> bool:
    """Return True if there is a row at a position, and it has ``value``."""
    exists = 0 <= row < opened.dataset.table.rows
    return exists and values(opened, [row], [column])[column][0] == value


def rows_where(opened: Opened, where: str, limit: int) -> list[int]:
    """Return the first positions of rows that meet a condition."""
    page: list[int] = opened.dataset.browse(
        where=where, limit=limit, columns=["item_id"]
    ).page.tolist()
    return page


def rows_of(opened: Opened, ids: Sequence[str]) -> dict[str, int]:
    """Return the positions of items by their ids, in that order; unknown ids are left out."""
    rows = zip(ids, opened.dataset.find(ids).tolist(), strict=True)
    return {name: row for name, row in rows if row >= 0}


def row_of(opened: Opened, item_id: str) -> int:
    """Return the position of an item.

    Raises:
        UnknownNameError: no such item; the error lists similar ids.
    """
    return int(opened.dataset.positions([item_id])[0])
