"""A folder tree named after labels; the source ``folder`` reads it."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import ExportFault, Selection, require_whole_images
from likewise.exports.export_files import put
from likewise.exports.image_export import ImageExport
from likewise.exports.image_names import make_unique
from likewise.formats.paths import inside

_INVALID_FOLDER = r"(^|/)(\.[^/]*|__MACOSX|)(/|\z)|[\x00\\]"
"""Names that are invalid for folders, or that readers treat as hidden."""


class FolderExport(ImageExport):
    """``images/{split}/{label}/{name}`` with unchanged bytes.

    Texts, subsets and roles are lost; csv and parquet keep them. Repeated names in a folder get
    a number.
    """

    holds_arrays: ClassVar[bool] = True

    def write_items(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``ImageExport.write_items``."""
        require_whole_images(selection, "folder")
        paths = _paths(selection)
        for row, data in selection.encoded():
            put(inside(folder, f"images/{paths[row]}", selection.dataset), data)
        return []


def _paths(selection: Selection) -> list[str]:
    """Return the path of each image below the folder of its split and label."""
    images = selection.images
    invalid = (
        pl.concat([images["split"], images["label"]]).drop_nulls().unique(maintain_order=True)
    )
    invalid = invalid.filter(invalid.str.contains(_INVALID_FOLDER))
    if len(invalid):
        raise DataError(
            f"{bounded(map(repr, invalid), len(invalid))} cannot be folder names; export csv"
        )
    place = pl.concat_str(pl.col("split") + "/", pl.col("label") + "/", ignore_nulls=True)
    name = pl.col("image_id").str.extract(r"(?s)([^/]*)\z")
    return make_unique(images.select(path=place.fill_null("") + name)["path"])
