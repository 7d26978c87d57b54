"""CSV: a line an item; the source ``csv`` reads it."""

from pathlib import Path

import polars as pl

from likewise.exports.base import Export, Fault, Selection, flat
from likewise.exports.box_export import CORNERS, copy_images
from likewise.exports.image_names import below

ITEMS = "items.csv"

_KEPT = ("label", "text", "split", "subset", "role")


class CsvExport(Export):
    """``images/`` and ``items.csv``: image, label, text, split, subset, role, x1, y1, x2, y2.

    After those stand the columns that only the source had, then the image's width and height.
    Corners are half-open pixels from 0; an item without them is its whole image. A list is
    JSON. UTF-8, comma; no value is an empty field.
    """

    images: bool = True
    """Whether the images are written, or only the table."""

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        paths = below(chosen, "images")
        placed = chosen.images.select("image_id", pl.Series(":image", paths))
        items = flat(chosen.items, chosen.further)
        rows = items.join(placed, on="image_id", maintain_order="left")
        corners = (pl.col("box").arr.get(n).alias(c.strip(":")) for n, c in enumerate(CORNERS))
        table = rows.select(
            pl.col(":image").alias("image"),
            *_KEPT,
            *corners,
            *chosen.further,
            "width",
            "height",
        )
        table.write_csv(folder / ITEMS)
        if self.images:
            copy_images(chosen, folder, paths)
        return []
