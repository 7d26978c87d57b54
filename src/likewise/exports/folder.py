"""A tree of folders, each called like its label; the source ``folder`` reads it."""

from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded
from likewise.exports.base import Export, Fault, Selection, need_whole_images
from likewise.exports.export_files import put
from likewise.exports.image_names import different
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage
from likewise.imaging.transforms.chain import Chain, Steps, png

_NO_FOLDER = r"(^|/)(\.[^/]*|__MACOSX|)(/|\z)|[\x00\\]"
"""Names that no folder can have, or that a reader takes for something hidden."""


class FolderExport(Export):
    """``images/{split}/{label}/{name}``, the images' bytes unchanged.

    Texts, subsets and roles have no place in it; csv and parquet keep them. Names that two
    images of a folder have are told apart by a number.
    """

    transform: Steps = ()
    """What is done to every image: a name of params.yaml's ``transforms``; it becomes a PNG."""

    @property
    def changes(self) -> bool:
        """See ``Export.changes``."""
        return bool(self.transform)

    def write(self, chosen: Selection, folder: Path) -> list[Fault]:
        """See ``Export.write``."""
        need_whole_images(chosen, "folder")
        paths = _paths(chosen, ".png" if self.transform else None)
        change = Chain(self.transform)
        if change.numbers:
            raise DataError("folder holds pictures, and the transform makes numbers of them")
        faults: list[Fault] = []
        for row, data in chosen.encoded():
            try:
                told = png(change.picture(decode(data))) if self.transform else data
            except BadImage as bad:
                faults.append((chosen.images["image_id"][row], bad.check, bad.detail))
                continue
            put(folder / "images" / paths[row], told)
        return faults


def _paths(chosen: Selection, suffix: str | None) -> list[str]:
    """Where every image goes: below the folder of its split and label."""
    images = chosen.images
    bad = pl.concat([images["split"], images["label"]]).drop_nulls().unique(maintain_order=True)
    bad = bad.filter(bad.str.contains(_NO_FOLDER))
    if len(bad):
        raise DataError(
            f"{bounded(map(repr, bad), len(bad))} cannot be the name of a folder; export csv"
        )
    place = pl.concat_str(pl.col("split") + "/", pl.col("label") + "/", ignore_nulls=True)
    name = pl.col("image_id").str.extract(r"(?s)([^/]*)\z")
    return different(images.select(path=place.fill_null("") + name)["path"], suffix)
