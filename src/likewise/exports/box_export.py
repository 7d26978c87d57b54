"""What the formats of boxes share: which items are boxes, and their images' bytes."""

from pathlib import Path
from typing import Literal

import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Export, Selection
from likewise.exports.export_files import put

CORNERS = (":x1", ":y1", ":x2", ":y2")


class BoxExport(Export):
    """A format whose items are boxes with labels, in images whose bytes stay as they are.

    An image without boxes is in it, and has none. Texts, subsets, roles and what only the
    source had have no place in it, unless its own page says so; csv and parquet keep them.
    """

    whole: Literal["refuse", "box"] = "refuse"
    """What becomes of a whole image's label: it stops the export, or is a box around all."""

    def boxes(self, chosen: Selection, format_: str, forbidden: str = "") -> pl.DataFrame:
        """The boxes in canonical order: the items' columns, ``:x1`` to ``:y2``, ``:image``.

        ``:image`` is the row in ``chosen.images``. Labels that match ``forbidden`` are refused.

        Raises:
            DataError: a label is of a whole image, cannot be written, or a box has none.
        """
        rows = chosen.images.select("image_id").with_row_index(":image")
        items = chosen.items.join(rows, on="image_id", maintain_order="left")
        frame = pl.concat_list(pl.lit(0.0), pl.lit(0.0), "width", "height")
        frame = frame.cast(pl.List(pl.Float32)).list.to_array(4)
        bare = items.filter(pl.col("box").is_null() & pl.col("label").is_not_null())
        if len(bare) and self.whole == "refuse":
            raise DataError(
                f"{format_} holds labels of boxes, and {len(bare):,} items are whole images "
                "with a label; say whole=box to put a box around each, or export folder or csv"
            )
        boxed = items.with_columns(
            box=pl.when(pl.col("label").is_not_null())
            .then(pl.coalesce("box", frame))
            .otherwise("box")
        ).drop_nulls("box")
        self._check(boxed, format_, forbidden)
        return boxed.with_columns(
            pl.col("box").arr.get(n).cast(pl.Float64).alias(c) for n, c in enumerate(CORNERS)
        )

    def _check(self, boxed: pl.DataFrame, format_: str, forbidden: str) -> None:
        unnamed = boxed.filter(pl.col("label").is_null())["item_id"]
        if len(unnamed):
            raise DataError(
                f"{format_} has a label for every box, and these have none: "
                f"{bounded(unnamed, len(unnamed))}; export csv or parquet, or leave them out: "
                "--where 'label is not null or box is null'"
            )
        labels = boxed["label"].unique(maintain_order=True)
        odd = labels.filter(labels.str.contains(forbidden)) if forbidden else labels.clear()
        if len(odd):
            raise DataError(
                f"{format_} cannot hold the labels {bounded(map(repr, odd), len(odd))}; export "
                "coco or parquet"
            )


def copy_images(chosen: Selection, folder: Path, paths: list[str]) -> None:
    """Write every image's bytes unchanged to its path."""
    for row, data in chosen.encoded():
        put(folder / paths[row], data)


def number(value: float) -> str:
    """A number as people write it: whole where it is whole, and exact."""
    return str(int(value)) if value == int(value) else repr(value)
