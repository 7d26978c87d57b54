"""Base class of export formats with bounding boxes."""

from pathlib import Path
from typing import Literal

import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Selection
from likewise.exports.export_files import put
from likewise.exports.image_export import Frame, ImageExport
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import inside

CORNERS = (":x1", ":y1", ":x2", ":y2")


class BoxExport(ImageExport):
    """Base class of formats with labelled boxes in unchanged images.

    Images without boxes are included. Texts, subsets, roles and extra columns are lost unless
    the format's documentation mentions them; csv and parquet keep them.
    """

    whole: Literal["refuse", "box"] = "refuse"
    """Labelled whole images: refuse the export, or write a box around the image."""

    orientation: Frame = "stored"
    """Frame of boxes and sizes: stored pixels, or upright, for readers that apply EXIF."""

    def boxes(
        self, selection: Selection, format_name: str, forbidden: str = ""
    ) -> pl.DataFrame:
        """Return the boxes in canonical order.

        Args:
            selection: items to export.
            format_name: name of the format, for messages.
            forbidden: regular expression of labels that the format cannot represent.

        Returns:
            Columns of the items, corners ``:x1`` to ``:y2`` in half-open pixels (float64), and
            ``:image``, the row in ``selection.images``.

        Raises:
            DataError: a whole image has a label, a label is forbidden, or a box has no label.
        """
        rows = selection.images.select("image_id").with_row_index(":image")
        items = selection.items.join(rows, on="image_id", maintain_order="left")
        whole_image = pl.concat_list(pl.lit(0.0), pl.lit(0.0), "width", "height")
        whole_image = whole_image.cast(pl.List(pl.Float32)).list.to_array(4)
        labelled = items.filter(pl.col("box").is_null() & pl.col("label").is_not_null())
        if len(labelled) and self.whole == "refuse":
            number = counted(len(labelled), "labelled item", "has", "have")
            raise DataError(
                f"{format_name} supports labels of boxes only, but {number} none; set "
                "whole=box to put a box around each, or export folder or csv"
            )
        boxed = items.with_columns(
            box=pl.when(pl.col("label").is_not_null())
            .then(pl.coalesce("box", whole_image))
            .otherwise("box")
        ).drop_nulls("box")
        self._check(boxed, format_name, forbidden)
        return boxed.with_columns(
            pl.col("box").arr.get(n).cast(pl.Float64).alias(c) for n, c in enumerate(CORNERS)
        )

    def _check(self, boxed: pl.DataFrame, format_name: str, forbidden: str) -> None:
        unlabelled = boxed.filter(pl.col("label").is_null())["item_id"]
        if len(unlabelled):
            raise DataError(
                f"{format_name} needs a label for every box, but these have none: "
                f"{bounded(unlabelled, len(unlabelled))}; export csv or parquet, or omit them: "
                "--where 'label is not null or box is null'"
            )
        labels = boxed["label"].unique(maintain_order=True)
        unwritable = (
            labels.filter(labels.str.contains(forbidden)) if forbidden else labels.clear()
        )
        if len(unwritable):
            examples = bounded(map(repr, unwritable), len(unwritable))
            raise DataError(
                f"{format_name} cannot represent the labels {examples}; export coco or parquet"
            )


def copy_images(selection: Selection, folder: Path, paths: list[str]) -> None:
    """Write each image with unchanged bytes to its path in ``folder``."""
    for row, data in selection.encoded():
        put(inside(folder, paths[row], selection.dataset), data)


def format_number(value: float) -> str:
    """Return the exact decimal form of ``value``, without a fraction if it is an integer."""
    return str(int(value)) if value == int(value) else repr(value)
