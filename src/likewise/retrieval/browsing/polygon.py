"""Points inside a polygon, by the even-odd rule."""

from collections.abc import Sequence

import numpy as np

from likewise.errors import DataError
from likewise.formats.array_types import BoolArray, Float32Array, Float64Array
from likewise.formats.compiled import compiled
from likewise.formats.counted_nouns import counted

COMPILED_FROM = 1 << 16
"""Number of points from which a compiled loop is used: Numba takes half a second to load."""

MOST_CORNERS = 1_000


def inside(points: Float32Array, polygon: Sequence[Sequence[float]]) -> BoolArray:
    """Return which points (n, 2) are inside a polygon; NaN is outside.

    A point is inside if a ray from it crosses the edges an odd number of times. A point on the
    common edge of two polygons belongs to one of them.

    Args:
        points: (n, 2) x and y.
        polygon: 3 to 1,000 corners (x, y); the last one is connected with the first.

    Raises:
        DataError: the polygon has a wrong number of corners, or one is not a pair of numbers.
    """
    corners = _corners(polygon)
    within = np.zeros(len(points), bool)
    if len(points) >= COMPILED_FROM:
        compiled(_mark)(points, corners, within)
    else:
        x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y1 != y2:
                crosses = ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
                within ^= crosses
    return within


def _corners(polygon: Sequence[Sequence[float]]) -> Float64Array:
    try:
        corners = np.asarray(polygon, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("the polygon has a corner that is not a pair of numbers") from error
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise DataError("the polygon has a corner that is not a pair of finite numbers")
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise DataError(
            f"the polygon has {counted(len(corners), 'corner')}; give 3 to {MOST_CORNERS:,} "
            "of them"
        )
    return corners


def _mark(  # pragma: no cover (numba)
    points: Float32Array, corners: Float64Array, within: BoolArray
) -> None:
    low, high = corners[:, 1].min(), corners[:, 1].max()
    for row in range(len(points)):
        x, y = np.float64(points[row, 0]), np.float64(points[row, 1])
        if not low <= y <= high:  # also for NaN
            continue
        odd = False
        last = len(corners) - 1
        for number in range(len(corners)):
            x1, y1 = corners[last, 0], corners[last, 1]
            x2, y2 = corners[number, 0], corners[number, 1]
            last = number
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                odd = not odd
        within[row] = odd
