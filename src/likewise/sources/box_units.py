"""Units and frames of annotated boxes: pixels or shares, stored or upright pictures."""

from typing import Literal

import polars as pl

from likewise.formats.counted_nouns import counted

BoxUnit = Literal["pixels", "shares"]
"""Unit of annotated boxes: pixels, or shares (0 to 1) of the image's width and height."""

Orientation = Literal["auto", "stored", "upright"]
"""Frame of annotated boxes: the stored pixels, or the picture as EXIF turns it for display."""

_SHOWN_UNIT: dict[str, Literal["pixels", "fractions"]] = {
    "pixels": "pixels",
    "shares": "fractions",
}


def box_unit(unit: BoxUnit) -> Literal["pixels", "fractions"]:
    """Return the ``box_unit`` of a ``SourceResult``."""
    return _SHOWN_UNIT[unit]


def share_findings(
    boxes: pl.DataFrame, unit: BoxUnit, where: str
) -> list[tuple[str, str, str]]:
    """Return a finding row if all corners in pixels are within 0 and 1, so may be shares.

    Args:
        boxes: boxes with the columns ``x1``, ``y1``, ``x2``, ``y2``.
        unit: unit in which they are read.
        where: location of the annotations.
    """
    sides = pl.col("x1", "y1", "x2", "y2").cast(pl.Float64)
    corners = boxes.select(sides.fill_nan(None)).drop_nulls()
    if unit != "pixels" or corners.is_empty():
        return []
    lowest = corners.select(pl.min_horizontal(pl.all().min())).item()
    highest = corners.select(pl.max_horizontal(pl.all().max())).item()
    if lowest < 0 or highest > 1:
        return []
    detail = (
        f"all corners of its {counted(len(corners), 'box')} lie within 0 and 1, and are read "
        "as pixels; if they are shares of the image, set --option unit=shares"
    )
    return [(where, "box-unit", detail)]
