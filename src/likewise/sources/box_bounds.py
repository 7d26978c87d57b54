"""Boxes against the true sizes of their images, which are known once the images are read."""

import polars as pl

from likewise.sources.base import Reading, findings, findings_frame

ROUNDING = 0.5
"""So many pixels beyond an edge are the rounding of whoever wrote the box, and no finding."""

_TURNED = 5
"""EXIF orientations from here on swap width and height."""

_CORNERS = ("x1", "y1", "x2", "y2")


def fitted(
    items: pl.DataFrame, reading: Reading, facts: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``items`` with boxes in pixels inside their images, and findings.

    A box that leads out of its image is cut to it; one that lies outside is left out. An image
    that so loses its last box is an item as a whole, as ``reading.wholes`` has it, in the
    place of its first. An image whose size is not the one that annotations say is a finding,
    too.

    Args:
        items: rows of ``reading.items``, perhaps not all.
        reading: where they come from: the boxes' unit, and the sizes that annotations say.
        facts: the images that are whole: image_id, width, height, orientation.

    Returns:
        The items in their order, those whose image is not in ``facts`` as they are, and
        findings.
    """
    if reading.sizes is None and items["box"].null_count() == len(items):
        return items, findings_frame([])
    placed = items.select("item_id", "image_id", "box").join(
        facts, on="image_id", how="left", maintain_order="left"
    )
    cut = _cut(placed, shares=reading.unit == "shares").with_row_index(":row")
    there = cut["width"].is_not_null()
    kept = ~there | cut["box"].is_null() | cut["some"]
    outside = cut.filter(~kept)
    clipped = cut.filter(there & kept & (cut["beyond"] > ROUNDING).fill_null(value=False))
    fit = items.with_columns(cut["inside"].alias("box"))
    if len(outside):
        lost = outside.join(cut.filter(kept), on="image_id", how="anti", maintain_order="left")
        fit = _instead(fit.with_row_index(":row").filter(kept), lost, reading.wholes)
    else:
        fit = fit.filter(kept)
    return fit, pl.concat(
        [
            _told(outside, "box-outside", "nothing of it is in the image"),
            _told(clipped, "box-clipped", "it leads out of the image, and is cut"),
            _other_sizes(reading.sizes, facts),
        ]
    )


def _cut(placed: pl.DataFrame, *, shares: bool) -> pl.DataFrame:
    """The boxes with their corners in pixels, and what of them is ``inside``: ``some``, or not.

    ``beyond`` is by how much a box leads out, in pixels.
    """
    corners = placed.with_columns(
        pl.col("box").arr.get(n).cast(pl.Float64).alias(c) for n, c in enumerate(_CORNERS)
    )
    if shares:
        corners = corners.with_columns(_pixels())
    x1, y1, x2, y2 = map(pl.col, _CORNERS)
    width, height = pl.col("width"), pl.col("height")
    inside = [x1.clip(0, width), y1.clip(0, height), x2.clip(0, width), y2.clip(0, height)]
    return corners.with_columns(
        some=(inside[0] < inside[2]) & (inside[1] < inside[3]),
        inside=pl.when(pl.col("box").is_not_null()).then(
            pl.concat_list(corner.cast(pl.Float32) for corner in inside).list.to_array(4)
        ),
        beyond=pl.max_horizontal(-x1, -y1, x2 - width, y2 - height),
    )


def _instead(
    kept: pl.DataFrame, lost: pl.DataFrame, wholes: pl.DataFrame | None
) -> pl.DataFrame:
    """The items ``kept`` (with their ``:row``), and the ``wholes`` whose boxes are ``lost``."""
    first = lost.unique("image_id", keep="first", maintain_order=True)
    images = kept.drop(":row").clear() if wholes is None else wholes
    there = first.select(":row", "image_id").join(images, on="image_id", maintain_order="left")
    return pl.concat([kept, there.select(kept.columns)]).sort(":row").drop(":row")


def _pixels() -> list[pl.Expr]:
    """Corners that are shares as pixels, to hundredths."""
    sides = dict(zip(_CORNERS, ("width", "height", "width", "height"), strict=True))
    return [(pl.col(c) * pl.col(side)).round(2) for c, side in sides.items()]


def _told(boxes: pl.DataFrame, check: str, what: str) -> pl.DataFrame:
    turned = (
        (pl.col("orientation") >= _TURNED)
        & (pl.col("x2") <= pl.col("height") + ROUNDING)
        & (pl.col("y2") <= pl.col("width") + ROUNDING)
    )
    advice = pl.when(turned).then(
        pl.format("; it fits the image as its EXIF orientation {} turns it", "orientation")
    )
    said = pl.format("{}, {}, {}, {} of {} x {} pixels: ", *_CORNERS, "width", "height")
    detail = pl.concat_str(said, pl.lit(what), advice.otherwise(pl.lit("")))
    return findings(boxes.with_columns(path="item_id"), check, detail)


def _other_sizes(sizes: pl.DataFrame | None, facts: pl.DataFrame) -> pl.DataFrame:
    if sizes is None:
        sizes = pl.DataFrame(schema={"image_id": pl.String, "width": float, "height": float})
    both = sizes.drop_nulls().join(facts, on="image_id", maintain_order="left")
    wide = pl.col("width") != pl.col("width_right")
    high = pl.col("height") != pl.col("height_right")
    differ = both.filter(wide | high).with_columns(
        pl.col("width", "height").round(2), path="image_id"
    )
    said = "annotated as {} x {} pixels, and it has {} x {}; its boxes are taken as they are"
    sides = ("width", "height", "width_right", "height_right")
    return findings(differ, "size-differs", pl.format(said, *sides))
