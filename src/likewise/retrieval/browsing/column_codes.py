"""Columns as small integers: each value is replaced by its number among the sorted values."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.errors import DataError, UnknownNameError
from likewise.formats.array_types import (
    GenericArray,
    Int32Array,
    Int64Array,
    UInt16Array,
    UInt32Array,
)
from likewise.formats.counted_nouns import counted
from likewise.formats.progress_note import progress_note
from likewise.retrieval.browsing.browse_options import Value
from likewise.storage import tables

Codes: TypeAlias = UInt16Array | UInt32Array

MOST_VALUES = 1 << 20
"""Largest number of different values that are kept, and can be counted, per column."""

_BATCHES = 32
"""Batches of ``tables.BATCH`` rows that are read as one block."""


@dataclass(frozen=True)
class ColumnCodes:
    """The values of a column as codes.

    The code of a value is its position in ``values``; the code of a missing value is
    ``len(values)``.

    Attributes:
        values: the different values, ascending; texts by code point.
        codes: (rows,) codes of the rows. For a column of lists (elements,) codes of the
            different elements, row by row; an empty list has the code of a missing value.
        ends: (rows,) for a column of lists, the end of each row in ``codes``; otherwise None.
    """

    values: pl.Series
    codes: Codes
    ends: Int64Array | None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        ends = 0 if self.ends is None else self.ends.nbytes
        return self.codes.nbytes + ends + int(self.values.estimated_size())

    @property
    def number(self) -> int:
        """Number of codes, that of missing values included."""
        return len(self.values) + 1

    def code(self, column: str, value: Value) -> int:
        """Return the code of ``value``, which may be a text of a value of another type.

        Raises:
            DataError: the value has another type than the column.
            UnknownNameError: no item has this value.
        """
        if value is None:
            return len(self.values)
        place = self.values.index_of(_typed(column, value, self.values.dtype))
        if place is None:
            known = self.values.cast(pl.String).to_list()
            raise UnknownNameError(f"value of {column!r}", str(value), known)
        return place


def read_codes(table: tables.Table, column: str) -> ColumnCodes:
    """Read a column as codes, block by block.

    Raises:
        DataError: the column has too many different values, or values that are not counted.
    """
    _kind(table, column)
    with progress_note(f"read the column {column} of {table.path.stem}"):
        return _codes(table, column)


def _codes(table: tables.Table, column: str) -> ColumnCodes:
    values = _distinct(table, column, MOST_VALUES)
    kind = _code_type(values)
    codes: list[GenericArray] = []
    ends: list[Int64Array] = []
    for block in _blocks(table, column):
        elements = block
        if block.dtype.base_type() == pl.List:
            elements, lengths = _flat(block)
            ends.append(lengths)
        codes.append(_encoded(elements, values).astype(kind))
    joined: Codes = np.concatenate([np.empty(0, kind), *codes])
    return ColumnCodes(values, joined, np.cumsum(np.concatenate(ends)) if ends else None)


def sorted_positions(table: tables.Table, column: str, *, descending: bool) -> Int32Array:
    """Return the positions (rows,) of all rows in the order of the values of ``column``.

    Rows with equal values are in the order of the table; missing values are last.

    Raises:
        DataError: the values have no order.
    """
    if _kind(table, column) == pl.List:
        raise DataError(f"sort: the column {column!r} holds lists, which have no order")
    with progress_note(f"sort {table.path.stem} by {column}"):
        return _sorted(table, column, descending=descending)


def _sorted(table: tables.Table, column: str, *, descending: bool) -> Int32Array:
    values = _distinct(table, column, None)
    missing, kind = len(values), _code_type(values)
    ranks = [_encoded(block, values) for block in _blocks(table, column)]
    if descending:
        ranks = [np.where(rank == missing, missing, missing - 1 - rank) for rank in ranks]
    keys = np.concatenate([np.empty(0, kind), *(rank.astype(kind) for rank in ranks)])
    order: Int32Array = np.argsort(keys, kind="stable").astype(np.int32)
    return order


def _kind(table: tables.Table, column: str) -> type[pl.DataType]:
    """Return the class of the column's type.

    Raises:
        DataError: its values are neither numbers, texts, dates nor lists of them.
    """
    empty = pl.DataFrame(pl.from_arrow(pa.schema([table.schema.field(column)]).empty_table()))
    kind = empty[column].dtype
    inner = kind.inner if isinstance(kind, pl.List) else kind
    if inner.is_nested() or inner == pl.Binary:
        raise DataError(f"the column {column!r} holds {kind}; it is neither counted nor sorted")
    return kind.base_type()


def _blocks(table: tables.Table, column: str) -> Iterator[pl.Series]:
    batches = table.scan([column])
    while several := [batch.column(0) for batch in islice(batches, _BATCHES)]:
        yield pl.Series(pl.from_arrow(pa.chunked_array(several)))


def _distinct(table: tables.Table, column: str, most: int | None) -> pl.Series:
    """Return the different values, ascending.

    Raises:
        DataError: there are more than ``most``.
    """
    distinct: list[pl.Series] = []
    pending = 0
    for block in _blocks(table, column):
        values = block.explode() if block.dtype.base_type() == pl.List else block
        distinct.append(values.drop_nulls().unique())
        pending += len(distinct[-1])
        if pending > len(distinct[0]):  # at most twice the distinct values are in memory
            distinct, pending = [pl.concat(distinct).unique()], 0
        if most is not None and len(distinct[0]) > most:
            raise DataError(
                f"the column {column!r} has more than {counted(most, 'different value')}; "
                "they are not counted: use where"
            )
    return pl.concat(distinct).unique().sort() if distinct else pl.Series(dtype=pl.String)


def _code_type(values: pl.Series) -> type[np.uint16] | type[np.uint32]:
    return np.uint16 if len(values) < 1 << 16 else np.uint32


def _encoded(values: pl.Series, known: pl.Series) -> Int64Array:
    """Return the position of each value in ``known``; ``len(known)`` for missing values."""
    if known.dtype == pl.String:
        codes = values.cast(pl.Enum(known)).to_physical().cast(pl.Int64)
        return codes.fill_null(len(known)).to_numpy()
    places = np.searchsorted(known.to_physical().to_numpy(), _numbers(values))
    return np.where(values.is_null().to_numpy(), len(known), places)


def _numbers(values: pl.Series) -> GenericArray:
    return values.to_physical().fill_null(strategy="zero").to_numpy()


def _flat(lists: pl.Series) -> tuple[pl.Series, Int64Array]:
    """Return the different elements of each list, row by row, and their number in each row.

    A list without elements has one, a missing value.
    """
    different = lists.list.drop_nulls().list.unique(maintain_order=True)
    missing = pl.Series([[None]], dtype=lists.dtype).new_from_index(0, len(lists))
    filled = different.zip_with(different.list.len().fill_null(0) > 0, missing)
    return filled.explode(), filled.list.len().cast(pl.Int64).to_numpy()


def _typed(column: str, value: Value, kind: pl.DataType) -> Value:
    """Convert a value to the type of the column.

    Raises:
        DataError: this is impossible.
    """
    given = value
    if isinstance(value, Collection) and not isinstance(value, str):
        raise _no_value(column, value, kind)
    if kind == pl.Boolean and isinstance(value, str):
        given = {"true": True, "false": False}.get(value.lower(), value)
    try:
        typed: Value = pl.Series([given]).cast(kind).item()
        changed = kind.is_numeric() and not isinstance(given, str) and typed != given
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise _no_value(column, value, kind) from error
    if changed and given == given:  # noqa: PLR0124 (NaN differs from itself)
        raise _no_value(column, value, kind)
    return typed


def _no_value(column: str, value: Value, kind: pl.DataType) -> DataError:
    return DataError(f"{value!r:.80} is not a value of {column!r}, a column of {kind}")
