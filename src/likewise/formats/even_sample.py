"""A few rows of many, evenly spread."""

import numpy as np

from likewise.formats.array_types import Int64Array


def evenly(count: int, most: int) -> Int64Array:
    """Return at most ``most`` numbers below ``count`` at even distances, or all of them.

    The first and the last number are included, if ``most`` is at least 2.

    >>> evenly(10, 4).tolist(), evenly(3, 4).tolist(), evenly(0, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2], [])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
