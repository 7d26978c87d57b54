"""Pages of an open table; codes and orders of its columns are kept in memory."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.formats.array_types import Int32Array, Int64Array, UInt8Array
from likewise.formats.counted_nouns import counted
from likewise.retrieval.browsing.browse_options import BrowseOptions, BrowseQuery
from likewise.retrieval.browsing.browsed import Browsed
from likewise.retrieval.browsing.column_codes import ColumnCodes, read_codes, sorted_positions
from likewise.retrieval.browsing.facet_counts import (
    MOST_FILTERS,
    SEVERAL,
    count_codes,
    mark_failures,
)
from likewise.retrieval.browsing.kept_last import KeptLast
from likewise.retrieval.browsing.rows_at import check_columns, check_positions, read_rows
from likewise.retrieval.filters import matching_rows
from likewise.retrieval.selection_filter import with_selection
from likewise.storage import tables

_CODE_BYTES = 512 << 20
"""Bytes of codes that are kept."""

_ORDER_BYTES = 256 << 20
"""Bytes of orders that are kept, 4 bytes per row each."""

_MASK_BYTES = 128 << 20
"""Bytes of masks of conditions that are kept, 1 byte per row each."""

_BLOCK = 1 << 16
"""Positions that are examined at a time."""


class ItemPages:
    """Filters, counts and sorts the items of one version of a published table.

    The codes of a column are read when the column is first named: 2 bytes per row, or 4 if it
    has more than 65,535 different values. An order takes 4 bytes per row, a condition 1. Those
    used last are kept, within 512, 256 and 128 MiB. Several threads may use an object.
    """

    def __init__(self, table: tables.Table, name: str) -> None:
        """Read nothing yet.

        Args:
            table: the published table.
            name: name of the data set, for errors.
        """
        self._table = table
        self._name = name
        self._codes: KeptLast[str, ColumnCodes] = KeptLast(_CODE_BYTES)
        self._orders: KeptLast[tuple[str, bool], Int32Array] = KeptLast(_ORDER_BYTES)
        self._masks: KeptLast[str, UInt8Array] = KeptLast(_MASK_BYTES)

    def browse(self, options: BrowseOptions) -> Browsed:
        """Return the items that meet the filters; see ``BrowseOptions``.

        Raises:
            UnknownOptionError: no such option.
            UnknownNameError: no such column, or no item has a value of a filter.
            DataError: an option is out of range, or ``where`` is not a condition.
        """
        known = self._table.metadata_columns
        query = BrowseQuery.from_options(options, known, self._name)
        columns = known if query.columns is None else query.columns
        check_columns(self._table, columns, self._name)
        failed, chosen = self._failures(query)
        order = self._order(query)
        counts = {name: self._counts(name, query, failed, chosen) for name in query.facets}
        total = len(failed) - int(np.count_nonzero(failed))
        page = _passing(failed, order, query.offset, min(query.limit, total))
        return Browsed(
            total,
            query.offset,
            page,
            read_rows(self._table, page, columns),
            counts,
            lambda: _passing(failed, order, 0, total),
        )

    def warm(self, columns: Sequence[str]) -> None:
        """Read the codes of ``columns``.

        Raises:
            UnknownNameError: there is no such column.
            DataError: the values of a column are not counted.
        """
        check_columns(self._table, columns, self._name)
        for column in columns:
            self._column(column)

    def _failures(self, query: BrowseQuery) -> tuple[UInt8Array, dict[str, list[int]]]:
        """Return which filter each row fails, and the codes that each filter accepts."""
        if len(query.filters) > MOST_FILTERS:
            raise DataError(
                f"filters: {counted(len(query.filters), 'column')}; at most {MOST_FILTERS}"
            )
        failed = self._mask(with_selection(query.where, query.selection, self._table))
        if query.positions is not None:
            outside = np.ones(len(failed), bool)
            outside[check_positions(query.positions, len(failed))] = False
            failed[outside] = SEVERAL
        chosen: dict[str, list[int]] = {}
        for number, name in enumerate(query.filters, start=1):
            column = self._column(name)
            chosen[name] = [column.code(name, value) for value in query.values(name)]
            allowed = np.zeros(column.number, bool)
            allowed[chosen[name]] = True
            mark_failures(column, allowed, number, failed)
        return failed, chosen

    def _mask(self, where: str | None) -> UInt8Array:
        """Return a new array (rows,): 0 for the rows that meet ``where``, else ``SEVERAL``."""
        if where is None:
            return np.zeros(self._table.rows, np.uint8)

        def read() -> UInt8Array:
            return np.where(matching_rows(self._table, where), 0, SEVERAL).astype(np.uint8)

        return self._masks.get(where, read).copy()

    def _column(self, name: str) -> ColumnCodes:
        return self._codes.get(name, lambda: read_codes(self._table, name))

    def _order(self, query: BrowseQuery) -> Int32Array | None:
        column, descending = query.sort, query.descending
        if column is None:
            return None
        return self._orders.get(
            (column, descending),
            lambda: sorted_positions(self._table, column, descending=descending),
        )

    def _counts(
        self, name: str, query: BrowseQuery, failed: UInt8Array, chosen: dict[str, list[int]]
    ) -> pl.DataFrame:
        """Return the values of a column with their numbers of items, most frequent first."""
        column = self._column(name)
        number = 1 + list(query.filters).index(name) if name in query.filters else 0
        counts = count_codes(column, number, failed)
        shown = counts > 0
        shown[chosen.get(name, [])] = True
        codes = np.flatnonzero(shown)
        codes = codes[np.lexsort((codes, -counts[codes]))][: query.top]
        return pl.DataFrame({"value": _values(column, codes), "items": counts[codes]})


def _passing(
    failed: UInt8Array, order: Int32Array | None, offset: int, limit: int
) -> Int32Array:
    """Return ``limit`` positions of rows that fail no filter, after ``offset`` others."""
    blocks: list[Int32Array] = []
    needed = offset + limit if limit else 0
    for block in _ordered_blocks(failed, order):
        if needed <= 0:
            break
        blocks.append(block[:needed])
        needed -= len(block)
    return np.concatenate([np.empty(0, np.int32), *blocks])[offset : offset + limit]


def _ordered_blocks(failed: UInt8Array, order: Int32Array | None) -> Iterator[Int32Array]:
    """Yield the positions of rows that fail no filter, in order, block by block."""
    for start in range(0, len(failed), _BLOCK):
        if order is None:
            passing = np.flatnonzero(failed[start : start + _BLOCK] == 0) + start
            yield passing.astype(np.int32)
        else:
            block = order[start : start + _BLOCK]
            yield block[failed[block] == 0]


def _values(column: ColumnCodes, codes: Int64Array) -> pl.Series:
    """Return the values of ``codes``; None for missing values."""
    missing = codes == len(column.values)
    places = pl.Series(np.where(missing, 0, codes)).set(pl.Series(missing), None)
    return column.values.gather(places) if len(column.values) else places.cast(pl.String)
