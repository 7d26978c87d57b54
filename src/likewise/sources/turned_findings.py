"""Findings about boxes of pictures that EXIF turns."""

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.imaging.turned_boxes import upright_size
from likewise.sources.base import SourceResult


def turned_findings(located: pl.DataFrame, result: SourceResult) -> list[tuple[str, str, str]]:
    """Return a finding row if boxes are read as stored pixels of pictures that EXIF turns.

    Args:
        located: boxes: ``image_id``, ``box``, and the facts of their images.
        result: the reading of the source.
    """
    turned = located.filter(
        pl.col("box").is_not_null() & (pl.col("orientation") > 1).fill_null(value=False)
    ).unique("image_id", maintain_order=True)
    if turned.is_empty() or result.orientation == "upright":
        return []
    detail = (
        f"{counted(len(turned), 'image')} with boxes turned by the EXIF orientation; the "
        "boxes are read as those of the stored pixels; if they were drawn on upright "
        "pictures, set --option orientation=upright"
    )
    if result.image_sizes is not None:
        sizes = turned.with_columns(upright_size()).join(
            result.image_sizes.drop_nulls().select("image_id", w="width", h="height"),
            on="image_id",
        )
        fits = sizes.filter(
            (pl.col("w") == pl.col(":width"))
            & (pl.col("h") == pl.col(":height"))
            & (pl.col("w") != pl.col("width"))
        )
        if len(fits):
            detail += f"; the annotated sizes of {len(fits):,} are those of upright pictures"
    return [(turned["image_id"][0], "turned-image", detail)]
