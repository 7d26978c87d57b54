"""COCO: one JSON file per split with images, annotations and categories.

Source: https://cocodataset.org/#format-data, "object detection".
"""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from likewise.formats.archives import FileCollection
from likewise.schema import Column
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import (
    SourceResult,
    source_result,
)
from likewise.sources.box_source import (
    BoxSource,
    stray_file_findings,
)
from likewise.sources.coco_files import CocoAnnotations
from likewise.sources.split_names import split_rank


class CocoSource(BoxSource):
    """COCO: images anywhere, and ``annotations/instances_{split}.json``.

    If files named ``instances_*`` exist, only those are read, otherwise all JSON files. The
    split comes from the name of the file or its folder (train2017: train). ``file_name`` is
    relative to the top or to the JSON file, or it is the end of one image's path, preferably in
    the split's folder. Boxes are x, y, width, height in pixels from 0. Creative Commons
    licences are recognised by URL and become SPDX identifiers. Items are sorted by split,
    image and box.
    """

    extra_columns: ClassVar[tuple[Column, ...]] = (
        Column("annotation_id", pa.string(), "the annotation's own id", nullable=True),
        Column("supercategory", pa.string(), "what the class is a kind of", nullable=True),
        Column("iscrowd", pa.bool_(), "the box holds a crowd of its class", nullable=True),
        Column("area", pa.float64(), "area of the segment in the box", "pixels", nullable=True),
        Column("licence", pa.string(), "the image's own licence", nullable=True),
    )

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(r"(\A|/)instances_[^/]*\.json\z")
        if paths.is_empty():
            paths = annotation_files.find(r"\.json\z")
        if paths.is_empty():
            raise annotation_files.missing_error("annotations/instances_{split}.json")
        parsed = CocoAnnotations(annotation_files, paths)
        entries, faults = parsed.entries(images["path"], files.path)
        listed = entries.select("image_id", "split", "licence", "width", "height")
        merged = (
            images.select(image_id="path")
            .join(listed.with_columns(listed=True), on="image_id", how="left")
            .with_columns(pl.col("listed").fill_null(value=False))
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        boxes, box_findings = parsed.boxes(entries)
        result = self.box_items(merged.drop("width", "height"), boxes)
        is_annotation = pl.col("path").str.to_lowercase().str.ends_with(".json")
        return source_result(
            files,
            result.items,
            faults,
            box_findings,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            extra_columns=self.extra_columns,
            image_sizes=merged.select("image_id", "width", "height"),
            whole_images=result.whole_images,
        )
