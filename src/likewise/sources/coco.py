"""COCO: one JSON file per split with images, annotations and categories.

Source: https://cocodataset.org/#format-data, "object detection" and "image captioning".
"""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import (
    SourceResult,
    findings_about,
    findings_from_rows,
    source_result,
)
from likewise.sources.box_source import CORNERS, BoxSource, stray_file_findings
from likewise.sources.box_units import BoxUnit, box_unit, share_findings
from likewise.sources.coco_files import CocoAnnotations
from likewise.sources.extra_columns import (
    PREFIX,
    RESERVED,
    field_name,
    type_extra_columns,
    with_field_names,
)
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.merged_rows import CAPTIONS
from likewise.sources.option_values import Names
from likewise.sources.split_names import split_of_folders, split_rank
from likewise.storage.schema import Column


class CocoSource(BoxSource):
    """COCO: images anywhere, and ``annotations/instances_{split}.json``.

    If files named ``instances_*`` exist, only those are read, otherwise all JSON files, unless
    ``documents`` names them. The split comes from the name of the file or its folder
    (train2017: train), or the image's folder. ``file_name`` (or the end of ``coco_url``) is
    relative to the top or to the JSON file, or it is the end of one image's path, preferably in
    the split's folder. Boxes are x, y, width, height in pixels from 0; an annotation with a
    segment only has its bounds, one with neither is the label of its image. Captions are texts,
    attributes are columns. Creative Commons licences are recognised by URL and become SPDX
    identifiers. Items are sorted by split, image and box.
    """

    extra_columns: ClassVar[tuple[Column, ...]] = (
        Column("annotation_id", pa.string(), "the annotation's own id", nullable=True),
        Column("supercategory", pa.string(), "what the class is a kind of", nullable=True),
        Column("iscrowd", pa.bool_(), "the box holds a crowd of its class", nullable=True),
        Column("area", pa.float64(), "area of the segment in the box", "pixels", nullable=True),
        Column("licence", pa.string(), "the image's own licence", nullable=True),
    )

    unit: BoxUnit = "pixels"
    """Unit of the boxes: pixels, or shares (0 to 1) of the image size."""

    documents: Names = ()
    """Names of the JSON files to read, such as ``captions_*.json``; ``*`` matches any part of a
    name. Other JSON files are ignored."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        every, paths = self._documents(annotation_files)
        parsed = CocoAnnotations(annotation_files, paths)
        entries, faults = parsed.entries(images["path"], files.path)
        rows, row_findings = parsed.annotations(entries)
        rows, attributes = self._with_attributes(rows)
        boxes, whole_labels, whole_findings = _whole_image_labels(rows)
        listed = entries.select("image_id", "split", "licence", "width", "height")
        merged = (
            images.select(image_id="path")
            .join(listed.with_columns(listed=True), on="image_id", how="left")
            .join(whole_labels, on="image_id", how="left")
            .with_columns(
                pl.col("listed").fill_null(value=False),
                split=pl.coalesce("split", split_of_folders("image_id")),
            )
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        own = (*self.extra_columns, *([CAPTIONS] if "captions" in merged.columns else []))
        result = self.box_items(merged.drop("width", "height"), boxes)
        is_annotation = pl.col("path").str.to_lowercase().str.ends_with(".json")
        unread = [(path, "unread-file", _UNREAD) for path in every if path not in paths]
        shares = share_findings(boxes, self.unit, paths[0])
        return source_result(
            files,
            _named(result.items, own, attributes),
            faults,
            row_findings,
            whole_findings,
            result.faults,
            findings_from_rows([*unread, *shares]),
            stray_file_findings(files, images, is_annotation),
            extra_columns=(*own, *attributes),
            box_unit=box_unit(self.unit),
            image_sizes=merged.select("image_id", "width", "height"),
            whole_images=_named(result.whole_images, own, attributes),
            orientation=self.orientation,
        )

    def _documents(self, annotation_files: AnnotationFiles) -> tuple[pl.Series, pl.Series]:
        """Return the JSON files to read or to report, and those to read.

        Raises:
            DataError: there is none.
        """
        every = annotation_files.find(r"\.json\z")
        if self.documents and annotation_files.is_collection:
            names = "|".join(map(glob_pattern, self.documents))
            every = every.filter(every.str.contains(rf"(?s)(?:\A|/)(?:{names})\z"))
            if every.is_empty():
                raise annotation_files.missing_error(" or ".join(self.documents))
            return every, every
        paths = every.filter(every.str.to_lowercase().str.contains(r"(\A|/)instances_[^/]*\z"))
        if paths.is_empty():
            paths = every
        if paths.is_empty():
            raise annotation_files.missing_error("annotations/instances_{split}.json")
        return every, paths

    def _with_attributes(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Column, ...]]:
        """Return the rows with typed attributes, and the columns of these."""
        own = {column.name for column in (*self.extra_columns, CAPTIONS)}
        names = [c.removeprefix(PREFIX) for c in rows.columns if c.startswith(PREFIX)]
        renamed = {n: f"given_{field_name(n)}" for n in names if field_name(n) in own}
        typed, columns = type_extra_columns(rows, renamed, RESERVED, ())
        meaning = "the attribute {!r} of the annotation"
        given = dict(zip((c.name for c in columns), names, strict=True))
        return typed, tuple(
            Column(c.name, c.type, meaning.format(given[c.name]), nullable=True)
            for c in columns
        )


_UNREAD = "files called instances_* are read alone; to read this one, name it by --annotations"


def _named(
    items: pl.DataFrame, own: tuple[Column, ...], attributes: tuple[Column, ...]
) -> pl.DataFrame:
    """Return items with the columns ``own``, and ``attributes`` by their own names."""
    plain = items.select(c.name for c in own if c.name in items.columns)
    return pl.concat([with_field_names(items, attributes), plain], how="horizontal")


def _whole_image_labels(
    rows: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Separate annotations of whole images from boxes: captions, and labels if all have no box.

    Returns:
        The boxes; ``image_id`` and ``label``, ``text``, ``captions`` of images that have them;
        and findings about images with several labels.
    """
    is_boxed = pl.any_horizontal(pl.col(c).is_not_null() for c in CORNERS)
    says = pl.col("caption").is_not_null()
    if not rows.select(is_boxed.any()).item():  # next to boxes, one is missing by mistake
        says |= pl.col("label").is_not_null()
    whole, boxes = rows.filter(~is_boxed & says), rows.filter(is_boxed | ~says)
    further = [c for c in rows.columns if c in _OF_ANNOTATION or c.startswith(PREFIX)]
    boxes = boxes.drop("where", "caption")
    if whole.is_empty():
        return boxes, rows.select("image_id").clear(), findings_from_rows([])
    grouped = whole.group_by("image_id", maintain_order=True)
    labels = grouped.agg(
        pl.col("label").drop_nulls().first(),
        pl.col("caption").drop_nulls().alias("captions"),
        *(pl.col(c).drop_nulls().first() for c in further),
    )
    firsts = whole.join(
        labels.select("image_id", taken="label"), on="image_id", maintain_order="left"
    )
    others = firsts.filter(pl.col("label") != pl.col("taken"))
    detail = pl.format("its image has the label {} already; {} is left out", "taken", "label")
    faults = findings_about(others.with_columns(path="where"), "two-labels", detail)
    filled = pl.when(pl.col("captions").list.len() > 0).then("captions")
    labels = labels.with_columns(captions=filled, text=pl.col("captions").list.first())
    if labels["captions"].list.len().max() in (None, 1):
        labels = labels.drop("captions")
    return boxes, labels, faults


_OF_ANNOTATION = ("annotation_id", "supercategory", "iscrowd", "area")
