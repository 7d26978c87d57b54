"""Compiled loops over a tile of scores; see ``from_blocks``."""

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array

Where = tuple[Float32Array, int, int]
"""Scores of a tile, number of its first query, and its first gallery row."""

State = tuple[Int64Array, Int64Array, Float32Array, Int64Array, Int64Array]
"""Offsets of queries, order, scores, rows and counts of the relevant items."""


def count_ahead(  # pragma: no cover (numba)
    numbers: Int64Array, where: Where, state: State
) -> None:
    """Add the number of items of a tile that are ahead of each relevant item."""
    scores, first_query, first_row = where
    at, _, owns, rows, ahead = state
    for query in numbers:
        line = scores[query - first_query]
        for item in range(at[query], at[query + 1]):
            own, row, count = owns[item], rows[item] - first_row, np.int32(0)
            if own == -np.inf:
                continue
            middle = min(max(row, 0), len(line))
            before, after = line[:middle], line[middle:]
            for j in range(len(before)):
                count = np.int32(count + np.int32(before[j] >= own))
            for j in range(len(after)):
                count = np.int32(count + np.int32(after[j] > own))
            ahead[item] += np.int64(count)


def count_by_bisection(  # pragma: no cover (numba)
    numbers: Int64Array, where: Where, state: State
) -> None:
    """Add each item of a tile to the first relevant item that it is ahead of.

    The relevant items are sorted, so the item is ahead of all that follow.
    """
    scores, first_query, first_row = where
    at, order, owns, rows, ahead = state
    for query in numbers:
        line, begin, end = scores[query - first_query], at[query], at[query + 1]
        for j in range(len(line)):
            score, low, high = line[j], begin, end
            while low < high:
                middle = (low + high) // 2
                item = order[middle]
                own = owns[item]
                if own < score or (own == score and rows[item] - first_row > j):
                    high = middle
                else:
                    low = middle + 1
            if low < end:
                ahead[order[low]] += 1


def merge_best(  # pragma: no cover (numba)
    numbers: Int64Array, where: Where, rows: Int64Array, best: Float32Array, filled: Int64Array
) -> None:
    """Merge the items of a tile into the first hits ``rows`` with scores ``best``."""
    scores, first_query, first_row = where
    width = rows.shape[1]
    for query in numbers:
        line, count = scores[query - first_query], filled[query]
        least = best[query, width - 1] if count == width else np.float32(-np.inf)
        for j in range(len(line)):
            score = line[j]
            if score > least:  # of equal scores, the earlier row stays ahead
                at = min(count, width - 1)
                while at > 0 and best[query, at - 1] < score:
                    best[query, at] = best[query, at - 1]
                    rows[query, at] = rows[query, at - 1]
                    at -= 1
                best[query, at], rows[query, at] = score, first_row + j
                count = min(count + 1, width)
                if count == width:
                    least = best[query, width - 1]
        filled[query] = count
