"""Compare boxes with the true sizes of their images, which ingest knows."""

import polars as pl

from likewise.imaging.turned_boxes import (
    FIRST_TRANSPOSED,
    UPRIGHT_SIZE,
    stored_corners,
    upright_size,
)
from likewise.sources.base import SourceResult, findings_about, findings_from_rows
from likewise.sources.turned_findings import turned_findings

TOLERANCE = 0.5
"""Pixels by which a box may exceed its image without a finding: rounding by the annotator."""

_CORNERS = ("x1", "y1", "x2", "y2")


def clip_boxes(
    items: pl.DataFrame, result: SourceResult, images: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert boxes to pixels and clip them to their images.

    A box that exceeds its image is clipped; a box outside its image is dropped. An image that
    loses its last box becomes a whole-image item (see ``SourceResult.whole_images``) in the
    position of its first box. Each of these is a finding, and so is an image whose size differs
    from the annotated one.

    Args:
        items: rows of ``result.items``, possibly a part of them.
        result: provides the unit of the boxes and the annotated image sizes.
        images: images that could be read: ``image_id``, ``width``, ``height``, ``orientation``.

    Returns:
        Items in their order (unchanged if their image is not in ``images``), and findings.
    """
    upright = result.orientation == "upright"
    if items["box"].null_count() == len(items):
        return items, _size_findings(result.image_sizes, images, upright=upright)
    located = items.select("item_id", "image_id", "box").join(
        images, on="image_id", how="left", maintain_order="left"
    )
    clipped = _clip(
        located, fractions=result.box_unit == "fractions", upright=upright
    ).with_row_index(":row")
    is_known = clipped["width"].is_not_null()
    is_kept = ~is_known | clipped["box"].is_null() | clipped["intersects"]
    outside = clipped.filter(~is_kept)
    exceeding = clipped.filter(
        is_known & is_kept & (clipped["excess"] > TOLERANCE).fill_null(value=False)
    )
    updated = items.with_columns(clipped["inside"].alias("box"))
    if len(outside):
        kept = updated.with_row_index(":row").filter(is_kept)
        bare = outside.join(
            clipped.filter(is_kept), on="image_id", how="anti", maintain_order="left"
        )
        updated = _add_whole_images(kept, bare, result.whole_images)
    else:
        updated = updated.filter(is_kept)
    return updated, pl.concat(
        [
            _box_findings(outside, "box-outside", "nothing of it is in the image"),
            _box_findings(exceeding, "box-clipped", "it leads out of the image, and is cut"),
            _size_findings(result.image_sizes, images, upright=upright),
            findings_from_rows(turned_findings(located, result)),
        ]
    )


def _clip(located: pl.DataFrame, *, fractions: bool, upright: bool) -> pl.DataFrame:
    """Add the corners in stored pixels, and the part of each box that is ``inside`` its image.

    ``intersects`` is false for boxes outside the image; ``excess`` is the distance in pixels by
    which a box exceeds the image.
    """
    corners = located.with_columns(
        pl.col("box").arr.get(n).cast(pl.Float64).alias(c) for n, c in enumerate(_CORNERS)
    )
    if upright:
        corners = corners.with_columns(upright_size())
    if fractions:
        corners = corners.with_columns(_fractions_to_pixels(upright=upright))
    if upright:
        corners = corners.with_columns(stored_corners())
    x1, y1, x2, y2 = map(pl.col, _CORNERS)
    width, height = pl.col("width"), pl.col("height")
    inside = [x1.clip(0, width), y1.clip(0, height), x2.clip(0, width), y2.clip(0, height)]
    return corners.with_columns(
        intersects=(inside[0] < inside[2]) & (inside[1] < inside[3]),
        inside=pl.when(pl.col("box").is_not_null()).then(
            pl.concat_list(corner.cast(pl.Float32) for corner in inside).list.to_array(4)
        ),
        excess=pl.max_horizontal(-x1, -y1, x2 - width, y2 - height),
    )


def _add_whole_images(
    kept: pl.DataFrame, bare: pl.DataFrame, whole_images: pl.DataFrame | None
) -> pl.DataFrame:
    """Add to ``kept`` (with ``:row``) the ``whole_images`` of images that lost all boxes."""
    first = bare.unique("image_id", keep="first", maintain_order=True)
    candidates = kept.drop(":row").clear() if whole_images is None else whole_images
    added = first.select(":row", "image_id").join(
        candidates, on="image_id", maintain_order="left"
    )
    return pl.concat([kept, added.select(kept.columns)]).sort(":row").drop(":row")


def _fractions_to_pixels(*, upright: bool) -> list[pl.Expr]:
    """Return the corners in pixels, rounded to hundredths."""
    size = UPRIGHT_SIZE if upright else ("width", "height")
    sides = dict(zip(_CORNERS, (*size, *size), strict=True))
    return [(pl.col(c) * pl.col(side)).round(2) for c, side in sides.items()]


def _box_findings(boxes: pl.DataFrame, check: str, problem: str) -> pl.DataFrame:
    fits_transposed = (
        (pl.col("orientation") >= FIRST_TRANSPOSED)
        & (pl.col("x2") <= pl.col("height") + TOLERANCE)
        & (pl.col("y2") <= pl.col("width") + TOLERANCE)
    )
    advice = pl.when(fits_transposed).then(
        pl.format("; it fits the image as its EXIF orientation {} turns it", "orientation")
    )
    place = pl.format("{}, {}, {}, {} of {} x {} pixels: ", *_CORNERS, "width", "height")
    detail = pl.concat_str(place, pl.lit(problem), advice.otherwise(pl.lit("")))
    return findings_about(boxes.with_columns(path="item_id"), check, detail)


def _size_findings(
    image_sizes: pl.DataFrame | None, images: pl.DataFrame, *, upright: bool
) -> pl.DataFrame:
    annotated = pl.DataFrame() if image_sizes is None else image_sizes.drop_nulls()
    if annotated.is_empty():
        return findings_from_rows([])
    if upright:
        sizes = images.with_columns(upright_size())
        images = sizes.with_columns(width=pl.col(":width"), height=pl.col(":height"))
    both = annotated.join(images, on="image_id", maintain_order="left")
    width_differs = pl.col("width") != pl.col("width_right")
    height_differs = pl.col("height") != pl.col("height_right")
    differing = both.filter(width_differs | height_differs).with_columns(
        pl.col("width", "height").round(2), path="image_id"
    )
    detail = "annotated as {} x {} pixels, and it has {} x {}; its boxes are taken as they are"
    sides = ("width", "height", "width_right", "height_right")
    return findings_about(differing, "size-differs", pl.format(detail, *sides))
