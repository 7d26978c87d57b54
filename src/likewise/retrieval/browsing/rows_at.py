"""Read the rows of a table at some positions."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from likewise.errors import DataError, UnknownNameError
from likewise.formats.array_types import Int32Array
from likewise.formats.counted_nouns import counted
from likewise.retrieval.browsing.browse_options import names_fault
from likewise.retrieval.search_query import ids_like
from likewise.storage import tables


def check_columns(table: tables.Table, columns: Sequence[str], name: str) -> None:
    """Check that the published table of the data set ``name`` has ``columns``.

    Raises:
        UnknownNameError: it lacks one; the error lists similar ones.
        DataError: ``columns`` is not a list of names.
    """
    for fault in names_fault("columns", columns):
        raise DataError(fault)
    known = [*table.metadata_columns, *table.vector_columns]
    for column in columns:
        if column not in known:
            raise UnknownNameError("column", column, known, name)


def check_positions(positions: Sequence[int] | Int32Array, rows: int) -> Int32Array:
    """Return ``positions`` as an array.

    Raises:
        DataError: one of them is not an integer from 0 to ``rows`` - 1.
    """
    numbers = np.asarray(positions)
    if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
        raise DataError(
            f"positions: {numbers.dtype} of shape {numbers.shape}; give a list of integers"
        )
    outside = numbers[(numbers < 0) | (numbers >= rows)]
    if len(outside):
        last = (
            f"the last of {counted(rows, 'item')} has the position {rows - 1}"
            if rows
            else "no items"
        )
        raise DataError(f"there is no item at position {outside[0]}; {last}")
    return numbers.astype(np.int32)


def existing_positions(
    table: tables.Table, ids: tables.RowIndex, wanted: Sequence[str], name: str
) -> Int32Array:
    """Return the positions of the items ``wanted`` of the data set ``name``.

    Raises:
        UnknownNameError: there is no such item; the error lists similar ids.
    """
    if not len(wanted):
        return np.empty(0, np.int32)
    positions = ids.positions(wanted)
    absent = np.flatnonzero(positions == tables.NO_ROW)
    if len(absent):
        item = wanted[absent[0]]
        raise UnknownNameError(
            "item", item, ids_like(table.read(["item_id"])["item_id"], item), name
        )
    return positions.astype(np.int32)


def read_rows(
    table: tables.Table, positions: Int32Array, columns: Sequence[str]
) -> pl.DataFrame:
    """Read ``columns`` of the rows at ``positions``, in that order."""
    return tables.read_at(table, positions.tolist(), columns)
