"""Ranks and first hits of blocks of queries, computed by NumPy.

Each function writes its results for the ``chosen`` rows of a block. Several threads may call it
for different rows.
"""

from collections.abc import Callable

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array

Block = tuple[Float32Array, Int64Array, Int64Array, Int64Array, Int64Array]
"""Scores (b, n) of a block; rows of relevant items; begin and end of those of each query; and
the position of its first rank in the results."""

Kernel = Callable[..., None]

_TOGETHER = 32
"""Queries whose first hits are found together; their scores fit into the processor's cache."""


def rank_by_counting(chosen: Int64Array, block: Block, ranks: Int64Array) -> None:
    """Write the ranks of the relevant items of the ``chosen`` rows; 0: excluded."""
    scores, order, begins, ends, offsets = block
    for i in chosen:
        row, at = scores[i], offsets[i]
        for item in order[begins[i] : ends[i]]:
            own = row[item]
            if own == -np.inf:
                ranks[at] = 0
            else:
                ahead = np.count_nonzero(row[:item] >= own)
                ranks[at] = 1 + ahead + np.count_nonzero(row[item + 1 :] > own)
            at += 1


def rank_by_sorting(chosen: Int64Array, block: Block, ranks: Int64Array) -> None:
    """Write the ranks by sorting, which is faster for very large classes."""
    scores, order, begins, ends, offsets = block
    for i in chosen:
        rank_of = np.empty(scores.shape[1], np.int64)
        rank_of[np.argsort(-scores[i], kind="stable")] = np.arange(1, scores.shape[1] + 1)
        items = order[begins[i] : ends[i]]
        left_out = scores[i][items] == -np.inf
        ranks[offsets[i] : offsets[i] + len(items)] = np.where(left_out, 0, rank_of[items])


def keep_best(
    chosen: Int64Array, scores: Float32Array, rows: Int64Array, best: Float32Array
) -> None:
    """Write the first hits ``rows`` of the ``chosen`` rows of a block, with scores ``best``.

    The k-th largest maximum of some parts of a row is at most its k-th largest score, so only
    scores from there on are sorted.
    """
    for start in range(0, len(chosen), _TOGETHER):
        part = chosen[start : start + _TOGETHER]
        near = scores[part[0] : part[-1] + 1] if _are_consecutive(part) else scores[part]
        query, item = np.nonzero(near >= _thresholds(near, rows.shape[1])[:, None])
        values = near[query, item]
        kept = values > -np.inf
        query, item, values = query[kept], item[kept], values[kept]
        order = np.lexsort((item, -values, query))  # of equal scores, the earlier row is ahead
        query, item, values = query[order], item[order], values[order]
        place = np.arange(len(query)) - np.searchsorted(query, query)
        first = place < rows.shape[1]
        rows[part[query[first]], place[first]] = item[first]
        best[part[query[first]], place[first]] = values[first]


def _are_consecutive(rows: Int64Array) -> bool:
    return int(rows[-1] - rows[0]) == len(rows) - 1


def _thresholds(scores: Float32Array, width: int) -> Float32Array:
    """Return a lower bound (b,) of the ``width`` largest scores of every row."""
    count, size = scores.shape
    parts = min(size, max(4 * width, int(np.sqrt(size * width))))
    used = size - size % parts
    maxima = scores[:, :used].reshape(count, -1, parts).max(axis=1)
    return np.partition(maxima, parts - width, axis=1)[:, parts - width]
