"""A tree of folders: the folder is the label, and perhaps the first one the split."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from likewise.errors import DataError
from likewise.formats.archives import Files
from likewise.sources.base import (
    Reading,
    Source,
    is_image,
    no_images,
    not_images,
    reading,
)

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Names of a first folder that say a split, and the split that each says."""

_IMAGES = "images/"
_ORDER = list(dict.fromkeys(SPLITS.values()))


class FolderTree(Source):
    """Images in folders named after their labels: ``cat/1.jpg``, ``train/cat/tabby/1.jpg``.

    The label is the path of the folder, with '/'; an image in no such folder has none. Rows are
    by split (train, val, test, any other by name, none), label and path. Where all images are
    in one folder ``images``, as exports have it, all this is below that.
    """

    protocols: ClassVar[tuple[str, ...]] = ("gpr1200-strict",)

    splits: Literal["auto", "yes", "no"] = "auto"
    """Whether the first folder is the split: ``auto`` where all first folders are in SPLITS."""

    root: str = ""
    """The folder in the source below which all this is; what lies elsewhere is left alone."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``; no annotations are used."""
        paths = self._inside(files)
        images = paths.filter(is_image())
        if images.is_empty():
            raise no_images(files, "{label}/{name}.jpg or train/{label}/{name}.jpg")
        folder = pl.col("name").str.extract(r"(?s)\A(.*)/")
        first, below = folder.str.extract(r"\A([^/]*)"), folder.str.extract(r"(?s)\A[^/]*/(.*)")
        named = images.with_columns(image_id="path", first=first)
        if self._is_split(named["first"].drop_nulls().unique()):
            named = named.with_columns(split=pl.col("first").replace(SPLITS), label=below)
        else:
            named = named.with_columns(split=pl.lit(None, pl.String), label=folder)
        rank = pl.col("split").replace_strict(_ORDER, range(len(_ORDER)), default=len(_ORDER))
        told = named.select("image_id", "label", "split")
        ordered = told.sort(rank, "split", "label", "image_id", nulls_last=True)
        return reading(files, ordered, not_images(paths))

    def _inside(self, files: Files) -> pl.DataFrame:
        """The files below the root: path, and name below it."""
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path")
        images = paths.filter(is_image())["path"]
        if not top and len(images) and images.str.starts_with(_IMAGES).all():
            top = _IMAGES
        paths = paths.filter(pl.col("path").str.starts_with(top))
        if paths.is_empty() and top:
            raise DataError(f"{files.path} holds no folder {top!r}; correct root in the card")
        return paths.with_columns(name=pl.col("path").str.strip_prefix(top))

    def _is_split(self, folders: pl.Series) -> bool:
        if self.splits == "auto":
            return len(folders) > 0 and bool(folders.is_in(list(SPLITS)).all())
        return self.splits == "yes"
