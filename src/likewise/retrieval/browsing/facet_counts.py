"""Filter rows by codes, and count codes of the rows that pass."""

import numpy as np

from likewise.formats.array_types import BoolArray, Int64Array, UInt8Array
from likewise.formats.compiled import compiled
from likewise.retrieval.browsing.column_codes import Codes, ColumnCodes

COMPILED_FROM = 1 << 16
"""Number of codes from which compiled loops are used: Numba takes half a second to load."""

SEVERAL = 255
"""The mark of a row that fails the condition or more than one filter."""

MOST_FILTERS = SEVERAL - 1


def mark_failures(
    column: ColumnCodes, allowed: BoolArray, number: int, failed: UInt8Array
) -> None:
    """Mark the rows that fail a filter.

    Args:
        column: the filtered column.
        allowed: (codes,) True for the codes that pass.
        number: number of the filter, from 1.
        failed: (rows,) number of the filter that a row fails; 0 for none, ``SEVERAL`` for more.
            It is changed.
    """
    if len(column.codes) >= COMPILED_FROM:
        if column.ends is None:
            compiled(_mark)(column.codes, allowed, np.uint8(number), failed)
        else:
            compiled(_mark_lists)(column.codes, column.ends, allowed, np.uint8(number), failed)
        return
    passes = allowed[column.codes]
    if column.ends is not None:
        passes = np.logical_or.reduceat(passes, _starts(column.ends)) if len(passes) else passes
    failed[~passes] = np.where(failed[~passes] == 0, number, SEVERAL)


def count_codes(column: ColumnCodes, number: int, failed: UInt8Array) -> Int64Array:
    """Count the codes of the rows that fail no filter, or only that of this column.

    Args:
        column: the counted column.
        number: number of its filter, from 1; 0 if it has none.
        failed: as in ``mark_failures``.

    Returns:
        (codes,) numbers of rows; a row with a list counts once for each different element.
    """
    if len(column.codes) < COMPILED_FROM:
        rows = (failed == 0) | (failed == number)
        if column.ends is not None:
            rows = np.repeat(rows, np.diff(column.ends, prepend=0))
        return np.bincount(column.codes[rows], minlength=column.number).astype(np.int64)
    counts = np.zeros(column.number, np.int64)
    if column.ends is None:
        compiled(_count)(column.codes, np.uint8(number), failed, counts)
    else:
        compiled(_count_lists)(column.codes, column.ends, np.uint8(number), failed, counts)
    return counts


def _starts(ends: Int64Array) -> Int64Array:
    return np.concatenate([[0], ends[:-1]])


def _mark(  # pragma: no cover (numba)
    codes: Codes, allowed: BoolArray, number: np.uint8, failed: UInt8Array
) -> None:
    # Without branches, which are hard to predict, the loops are nine times faster.
    for row in range(len(codes)):
        mark = number if failed[row] == 0 else np.uint8(255)
        failed[row] = failed[row] if allowed[codes[row]] else mark


def _mark_lists(  # pragma: no cover (numba)
    codes: Codes, ends: Int64Array, allowed: BoolArray, number: np.uint8, failed: UInt8Array
) -> None:
    start = 0
    for row in range(len(ends)):
        passes = False
        for at in range(start, ends[row]):
            passes |= allowed[codes[at]]
        if not passes:
            failed[row] = number if failed[row] == 0 else 255
        start = ends[row]


def _count(  # pragma: no cover (numba)
    codes: Codes, number: np.uint8, failed: UInt8Array, counts: Int64Array
) -> None:
    for row in range(len(codes)):
        counts[codes[row]] += (failed[row] == 0) | (failed[row] == number)


def _count_lists(  # pragma: no cover (numba)
    codes: Codes, ends: Int64Array, number: np.uint8, failed: UInt8Array, counts: Int64Array
) -> None:
    start = 0
    for row in range(len(ends)):
        for at in range(start, ends[row]):
            counts[codes[at]] += (failed[row] == 0) | (failed[row] == number)
        start = ends[row]
