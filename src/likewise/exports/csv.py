"""CSV: one line per item; the source ``csv`` reads it."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.exports.base import ExportFault, Selection, with_json_lists
from likewise.exports.box_export import CORNERS, copy_images
from likewise.exports.image_export import ImageExport
from likewise.exports.image_names import paths_below
from likewise.formats.spreadsheet_text import mark_texts

ITEMS_FILE = "items.csv"

_TEXT_COLUMNS = ("label", "text", "split", "subset", "role")


class CsvExport(ImageExport):
    """``images/`` and ``items.csv``: image, label, text, split, subset, role, x1, y1, x2, y2.

    Then follow the extra columns of the source, and the width and height of the image. Corners
    are half-open pixels from 0; items without corners are whole images. Lists are JSON. The
    encoding is UTF-8, the delimiter a comma; missing values are empty fields.
    """

    holds_arrays: ClassVar[bool] = True

    images: bool = True
    """Write the images, not only the table."""

    spreadsheet: bool = False
    """Put an apostrophe before texts that begin like a formula of a spreadsheet."""

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        table = self.table(selection)
        if self.spreadsheet:
            table = mark_texts(table.lazy()).collect()
        table.write_csv(folder / ITEMS_FILE)
        if self.images:
            copy_images(selection, folder, paths_below(selection, "images"))
        return []

    def table(self, selection: Selection) -> pl.DataFrame:
        """Return the table of items."""
        paths = paths_below(selection, "images")
        placed = selection.images.select("image_id", pl.Series(":image", paths))
        items = with_json_lists(selection.items, selection.extra_columns)
        rows = items.join(placed, on="image_id", maintain_order="left")
        corners = (pl.col("box").arr.get(n).alias(c.strip(":")) for n, c in enumerate(CORNERS))
        return rows.select(
            pl.col(":image").alias("image"),
            *_TEXT_COLUMNS,
            *corners,
            *selection.extra_columns,
            "width",
            "height",
        )
