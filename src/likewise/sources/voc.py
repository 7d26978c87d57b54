"""Pascal VOC: one XML file per image, and lists of image names as splits.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_from_rows, source_result
from likewise.sources.box_source import (
    BoxSource,
    first_per_key,
    reference_findings,
    stray_file_findings,
)
from likewise.sources.box_units import BoxUnit, box_unit, share_findings
from likewise.sources.image_references import match_references
from likewise.sources.split_lists import (
    find_split_lists,
    list_names,
    splits_from_lists,
    splits_of_lists,
)
from likewise.sources.split_names import split_of_folders, split_rank
from likewise.sources.voc_xml import (
    CornerConvention,
    parse_voc_files,
    to_half_open,
    zero_corner_findings,
)
from likewise.storage.schema import Column

_MASKS = r"(?i)(^|/)(annotations?|segmentation(class|object)?|trimaps|masks)/"
"""Folders of images that are annotations of others, as in the Oxford-IIIT Pet data set."""

_LISTS = r"(\A|/)imagesets/main/{}\.txt\z"


class VocSource(BoxSource):
    """Pascal VOC: ``JPEGImages/``, ``Annotations/*.xml``, ``ImageSets/Main/``.

    An XML file belongs to the image with its name, otherwise to the image in its ``filename``.
    If a folder JPEGImages exists, only images in it are used; otherwise none in folders of
    annotations or masks. VOC's corners are inclusive and
    count from 1; 1 is subtracted from x1 and y1 to make them half-open. For tools that write
    half-open corners, set ``corners: half-open``. Splits are
    lists (``trainval`` counts as training for images in no other list), or folders. Items are
    sorted by split (train, val, test, others), image and box. Parts of objects (head, hand) are
    ignored.
    """

    extra_columns: ClassVar[tuple[Column, ...]] = (
        Column("pose", pa.string(), "the viewpoint, as annotated", nullable=True),
        Column("truncated", pa.bool_(), "the object goes on outside of the box", nullable=True),
        Column("difficult", pa.bool_(), "VOC leaves it out of evaluations", nullable=True),
        Column("occluded", pa.bool_(), "something stands before the object", nullable=True),
    )

    corners: CornerConvention = "1-based"
    """Convention of corners: inclusive from 1 (VOC), or half-open from 0."""

    unit: BoxUnit = "pixels"
    """Unit of the corners: pixels, or shares (0 to 1) of the image size."""

    splits: tuple[str, ...] = ("train", "val", "test")
    """Lists in ``ImageSets/Main`` that are splits; an image gets the first that names it."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = self.images(files)
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(r"\.xml\z")
        if paths.is_empty():
            raise annotation_files.missing_error("Annotations/{name}.xml")
        parsed = parse_voc_files(annotation_files.read(paths))
        annotated, missing = _join_images(parsed.images, images["path"])
        annotated, twins = first_per_key(
            annotated, "image_id", "xml", "its image has another XML"
        )
        splits, list_findings = splits_from_lists(
            files, annotation_files, _LISTS, list_names(self.splits), images
        )
        if splits.is_empty():
            lists = find_split_lists(annotation_files)
            splits, further, _ = splits_of_lists(annotation_files, lists, images, files.path)
            list_findings = pl.concat([list_findings, *further])
        merged = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .join(annotated, on="image_id", how="left", maintain_order="left")
            .with_columns(
                listed=pl.col("xml").is_not_null(),
                split=pl.coalesce("split", split_of_folders("image_id")),
            )
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        boxes = parsed.boxes.join(annotated.select("xml", "image_id"), on="xml")
        result = self.box_items(
            merged.select("image_id", "split", "listed"),
            to_half_open(
                boxes.drop("xml"), "half-open" if self.unit == "shares" else self.corners
            ),
        )
        doubts = share_findings(boxes, self.unit, paths[0])
        if self.unit == "pixels" and self.corners == "1-based" and not doubts:
            doubts = zero_corner_findings(boxes)
        is_annotation = pl.col("path").str.to_lowercase().str.ends_with(".xml")
        return source_result(
            files,
            result.items,
            findings_from_rows([*parsed.invalid, *doubts]),
            missing,
            twins,
            list_findings,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            extra_columns=self.extra_columns,
            box_unit=box_unit(self.unit),
            image_sizes=merged.select("image_id", "width", "height"),
            whole_images=result.whole_images,
            orientation=self.orientation,
        )

    def images(self, files: FileCollection) -> pl.DataFrame:
        """Return all images; without ``root``, only those in JPEGImages, or no masks."""
        images = super().images(files)
        if self.root:
            return images
        in_folder = images.filter(pl.col("path").str.contains(r"(^|/)JPEGImages/"))
        outside = images.filter(~pl.col("path").str.contains(_MASKS))
        return next((some for some in (in_folder, outside) if len(some)), images)


def _join_images(
    xml_files: pl.DataFrame, paths: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``xml``, ``width``, ``height``, ``image_id`` of the XML files; and findings."""
    name = pl.col("xml").str.replace(r"(?i)\A(?:.*/)?annotations/", "")
    referenced = xml_files.with_columns(reference=name.str.replace(r"(?i)\.xml\z", ""))
    by_name = match_references(referenced["reference"], paths, stems=True)
    rest = referenced.join(by_name.matched, on="reference", how="anti")
    matches = match_references(rest["filename"], paths)
    by_filename = matches.matched.rename({"reference": "filename"})
    matched = pl.concat(
        [
            referenced.join(by_name.matched, on="reference"),
            rest.join(by_filename, on="filename"),
        ],
        how="diagonal",
    )
    unmatched = rest.join(by_filename, on="filename", how="anti")
    located = matched.select("xml", "width", "height", image_id="path")
    by_end = rest.select("xml", reference="filename")
    return located.sort("xml"), pl.concat(
        [
            reference_findings(unmatched, by_name.unmatched, pl.col("xml")),
            reference_findings(by_end, matches.notes, pl.col("xml")),
        ]
    )
