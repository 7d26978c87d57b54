"""Base class of export formats with images: transforms, and the frame of boxes."""

import shutil
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from likewise.errors import DataError
from likewise.exports.base import Export, ExportFault, Selection
from likewise.exports.transformed import transform_selection
from likewise.imaging.transforms.chain import Chain, Steps
from likewise.imaging.turned_boxes import FIRST_TRANSPOSED, upright_corners

_CORNERS = (":x1", ":y1", ":x2", ":y2")
_TEMPORARY = ".transformed"


class ImageExport(Export):
    """Base class of formats with images; subclasses implement ``write_items``.

    Attributes:
        holds_arrays: True if the format can hold .npy files instead of images.
    """

    holds_arrays: ClassVar[bool] = False

    transform: Steps = ()
    """Transform of each image: a name in ``transforms`` of params.yaml. Images become PNG, or
    .npy after ``normalise``; boxes are scaled and cut."""

    @property
    def changes_images(self) -> bool:
        """See ``Export.changes_images``."""
        return bool(self.transform)

    def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``Export.write``."""
        if not self.transform:
            return self.write_items(selection, folder)
        chain = Chain(self.transform)
        if chain.makes_array and not self.holds_arrays:
            raise DataError(
                "this format contains images, but the transform produces arrays; export "
                "folder, csv or webdataset, or leave out normalise"
            )
        temporary = folder / _TEMPORARY
        temporary.mkdir()
        try:
            chosen, faults = transform_selection(selection, chain, temporary)
            if chosen.items.is_empty():
                raise DataError("no item is left after the transform")
            return [*faults, *self.write_items(chosen, folder)]
        finally:
            shutil.rmtree(temporary)

    @abstractmethod
    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """Write ``selection``, whose images are transformed already; see ``Export.write``."""


Frame = Literal["stored", "upright"]
"""Frame of exported boxes: stored pixels, or the picture as EXIF turns it for display."""


def has_turned_boxes(selection: Selection) -> bool:
    """Return whether a box is in an image that EXIF turns."""
    if "orientation" not in selection.items.columns:
        return False
    turned = pl.col("box").is_not_null() & (pl.col("orientation") > 1)
    return bool(selection.items.select(turned.any()).item())


def in_frame(selection: Selection, frame: Frame) -> Selection:
    """Return ``selection`` with boxes and sizes in ``frame``."""
    if frame == "stored" or not has_turned_boxes(selection):
        return selection
    items = selection.items.with_columns(
        pl.col("box").arr.get(n).alias(name) for n, name in enumerate(_CORNERS)
    ).with_columns(upright_corners(_CORNERS))
    box = pl.concat_list(pl.col(c).cast(pl.Float32) for c in _CORNERS).list.to_array(4)
    transposed = pl.col("orientation") >= FIRST_TRANSPOSED
    items = items.with_columns(
        box=pl.when(pl.col("box").is_not_null()).then(box),
        width=pl.when(transposed).then("height").otherwise("width"),
        height=pl.when(transposed).then("width").otherwise("height"),
    )
    return replace(selection, items=items.drop(_CORNERS))
