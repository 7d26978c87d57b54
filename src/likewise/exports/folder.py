"""A folder tree named after labels; the source ``folder`` reads it."""

from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Export, ExportFault, Selection, require_whole_images
from likewise.exports.export_files import put
from likewise.exports.image_names import make_unique
from likewise.formats.paths import inside
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage
from likewise.imaging.transforms.chain import Chain, Steps, encode_png

_INVALID_FOLDER = r"(^|/)(\.[^/]*|__MACOSX|)(/|\z)|[\x00\\]"
"""Names that are invalid for folders, or that readers treat as hidden."""


class FolderExport(Export):
    """``images/{split}/{label}/{name}`` with unchanged bytes.

    Texts, subsets and roles are lost; csv and parquet keep them. Repeated names in a folder get
    a number.
    """

    transform: Steps = ()
    """Transform of each image: a name in ``transforms`` of params.yaml; images become PNG."""

    @property
    def changes_images(self) -> bool:
        """See ``Export.changes_images``."""
        return bool(self.transform)

    def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
        """See ``Export.write``."""
        require_whole_images(selection, "folder")
        paths = _paths(selection, ".png" if self.transform else None)
        transform = Chain(self.transform)
        if transform.makes_array:
            raise DataError("folder contains images, but the transform produces arrays")
        faults: list[ExportFault] = []
        for row, data in selection.encoded():
            try:
                content = (
                    encode_png(transform.picture(decode(data))) if self.transform else data
                )
            except BadImage as bad:
                faults.append((selection.images["image_id"][row], bad.check, bad.detail))
                continue
            put(inside(folder, f"images/{paths[row]}", selection.dataset), content)
        return faults


def _paths(selection: Selection, suffix: str | None) -> list[str]:
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
    return make_unique(images.select(path=place.fill_null("") + name)["path"], suffix)
