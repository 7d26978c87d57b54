"""Bounds of the shapes that annotation tools draw: x1, y1, x2, y2."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

Bounds = list[float]


def of_points(points: Iterable[Sequence[Any]]) -> Bounds:
    """Return the bounds of points (x, y).

    Raises:
        ValueError: there is no point, or one is not two numbers.
    """
    pairs = [(float(point[0]), float(point[1])) for point in points]
    if not pairs:
        raise ValueError("it has no points")
    xs, ys = zip(*pairs, strict=True)
    return [min(xs), min(ys), max(xs), max(ys)]


def of_ellipse(x: float, y: float, rx: float, ry: float) -> Bounds:
    """Return the bounds of an ellipse with this centre and these radii."""
    return [x - rx, y - ry, x + rx, y + ry]


def of_circle(centre: Sequence[Any], edge: Sequence[Any]) -> Bounds:
    """Return the bounds of a circle, from its centre and a point on it."""
    x, y = float(centre[0]), float(centre[1])
    radius = math.dist((x, y), (float(edge[0]), float(edge[1])))
    return of_ellipse(x, y, radius, radius)


def of_rectangle(
    x: float, y: float, w: float, h: float, degrees: float = 0, *, around_centre: bool = False
) -> Bounds:
    """Return the bounds of a rectangle that is turned clockwise.

    Args:
        x: left edge before it is turned.
        y: top edge.
        w: width.
        h: height.
        degrees: angle.
        around_centre: turn it around its centre, otherwise around its first corner.
    """
    if not degrees:
        return [x, y, x + w, y + h]
    cx, cy = (x + w / 2, y + h / 2) if around_centre else (x, y)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = [(x, y), (x + w, y), (x, y + h), (x + w, y + h)]
    return of_points(
        (cx + (a - cx) * cosine - (b - cy) * sine, cy + (a - cx) * sine + (b - cy) * cosine)
        for a, b in corners
    )
