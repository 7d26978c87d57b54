"""A folder tree: the folder is the label, and the first folder may be the split."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import FileCollection
from likewise.sources.base import (
    Source,
    SourceResult,
    is_image,
    no_images_error,
    non_image_findings,
    source_result,
)

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Folder names of splits -> split."""

_IMAGES = "images/"
_ORDER = list(dict.fromkeys(SPLITS.values()))


class FolderSource(Source):
    """Images in folders named after their labels: ``cat/1.jpg``, ``train/cat/tabby/1.jpg``.

    The label is the path of the folder with '/'; an image without a label folder has none.
    Items are sorted by split (train, val, test, others by name, none), label and path. If all
    images are in one folder ``images``, as in exports, the layout starts below it.
    """

    protocols: ClassVar[tuple[str, ...]] = ("leave-one-out",)

    splits: Literal["auto", "yes", "no"] = "auto"
    """Use the first folder as the split; ``auto``: if all first folders are names of splits."""

    root: str = ""
    """Folder of the layout inside the source; files elsewhere are ignored."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``; annotations are not used."""
        paths = self._files_below_root(files)
        images = paths.filter(is_image())
        if images.is_empty():
            raise no_images_error(files, "{label}/{name}.jpg or train/{label}/{name}.jpg")
        folder = pl.col("name").str.extract(r"(?s)\A(.*)/")
        first, rest = folder.str.extract(r"\A([^/]*)"), folder.str.extract(r"(?s)\A[^/]*/(.*)")
        labelled = images.with_columns(image_id="path", first=first)
        if self._is_split(labelled["first"].drop_nulls().unique()):
            labelled = labelled.with_columns(split=pl.col("first").replace(SPLITS), label=rest)
        else:
            labelled = labelled.with_columns(split=pl.lit(None, pl.String), label=folder)
        rank = pl.col("split").replace_strict(_ORDER, range(len(_ORDER)), default=len(_ORDER))
        items = labelled.select("image_id", "label", "split")
        ordered = items.sort(rank, "split", "label", "image_id", nulls_last=True)
        return source_result(files, ordered, non_image_findings(paths))

    def _files_below_root(self, files: FileCollection) -> pl.DataFrame:
        """Return the files below the root: ``path``, and ``name`` relative to the root."""
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path")
        images = paths.filter(is_image())["path"]
        if not top and len(images) and images.str.starts_with(_IMAGES).all():
            top = _IMAGES
        paths = paths.filter(pl.col("path").str.starts_with(top))
        if paths.is_empty() and top:
            raise DataError(f"{files.path} has no folder {top!r}; correct root in the card")
        return paths.with_columns(name=pl.col("path").str.strip_prefix(top))

    def _is_split(self, folders: pl.Series) -> bool:
        if self.splits == "auto":
            return len(folders) > 0 and bool(folders.is_in(list(SPLITS)).all())
        return self.splits == "yes"
