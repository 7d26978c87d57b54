"""A layout in which file names start with the label: ``cat__tabby.png``."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.base import (
    Source,
    SourceResult,
    is_image,
    non_image_findings,
    source_result,
)


class UnderscoredSource(Source):
    """Images whose file names are ``{label}__{name}``."""

    protocols: ClassVar[tuple[str, ...]] = ("nearest-item",)

    separator: str = "__"
    """Separator of label and name."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """Read the label of every image from its file name."""
        paths = files.listing().select("path")
        name = pl.col("path").str.split("/").list.last()
        items = paths.filter(is_image()).select(
            image_id="path", label=name.str.split(self.separator).list.first()
        )
        return source_result(files, items.sort("label", "image_id"), non_image_findings(paths))
