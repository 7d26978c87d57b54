"""Boxes of pictures that EXIF turns: from the upright picture to stored pixels, and back.

Source of the orientations: EXIF 2.32, section 4.6.4, tag 0x0112.
"""

from collections.abc import Mapping, Sequence

import polars as pl

FIRST_TRANSPOSED = 5
"""EXIF orientations from this one on exchange width and height."""

UPRIGHT_SIZE = (":width", ":height")
"""Columns of the size of the upright picture."""

_CORNERS = ("x1", "y1", "x2", "y2")


def upright_size() -> list[pl.Expr]:
    """Return ``UPRIGHT_SIZE`` from ``width``, ``height`` and ``orientation``."""
    turned = pl.col("orientation") >= FIRST_TRANSPOSED
    return [
        pl.when(turned).then("height").otherwise("width").alias(":width"),
        pl.when(turned).then("width").otherwise("height").alias(":height"),
    ]


def stored_corners(corners: Sequence[str] = _CORNERS) -> list[pl.Expr]:
    """Return corners in stored pixels from those in the upright picture.

    The columns ``width`` and ``height`` are the stored size, ``orientation`` is 1 to 8.
    """
    return _turned(corners, _TO_STORED)


def upright_corners(corners: Sequence[str] = _CORNERS) -> list[pl.Expr]:
    """Return corners in the upright picture from those in stored pixels; see above."""
    return _turned(corners, _TO_UPRIGHT)


# Edges of the result (left, top, right, bottom) from edges of the given box, by orientation:
# x1, y1, x2, y2 as they are, or "W-" and "H-" for the distance from the stored width or height.
_MIRRORED = {
    2: ("W-x2", "y1", "W-x1", "y2"),
    3: ("W-x2", "H-y2", "W-x1", "H-y1"),
    4: ("x1", "H-y2", "x2", "H-y1"),
    5: ("y1", "x1", "y2", "x2"),
}
_TO_STORED = {
    **_MIRRORED,
    6: ("y1", "H-x2", "y2", "H-x1"),
    7: ("W-y2", "H-x2", "W-y1", "H-x1"),
    8: ("W-y2", "x1", "W-y1", "x2"),
}
_TO_UPRIGHT = {
    **_MIRRORED,
    6: ("H-y2", "x1", "H-y1", "x2"),
    7: ("H-y2", "W-x2", "H-y1", "W-x1"),
    8: ("y1", "W-x2", "y2", "W-x1"),
}


def _turned(corners: Sequence[str], edges: Mapping[int, tuple[str, ...]]) -> list[pl.Expr]:
    names = dict(zip(_CORNERS, corners, strict=True))
    sides = {"W": pl.col("width"), "H": pl.col("height")}

    def edge(text: str) -> pl.Expr:
        side, _, corner = text.rpartition("-")
        return sides[side] - pl.col(names[corner]) if side else pl.col(names[corner])

    results = []
    for at, name in enumerate(corners):
        value = pl.col(name)
        for orientation, values in edges.items():
            turned = pl.col("orientation") == orientation
            value = pl.when(turned).then(edge(values[at])).otherwise(value)
        results.append(value.alias(name))
    return results
