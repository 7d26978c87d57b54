"""Pascal VOC: an XML file an image, and lists of image names that are the splits.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from likewise.formats.archives import Files
from likewise.schema import Column
from likewise.sources.annotation_files import Notes
from likewise.sources.base import Reading, findings_frame, reading
from likewise.sources.box_source import (
    BoxSource,
    dangling,
    first_each,
    foreign,
    split_rank,
)
from likewise.sources.image_references import match
from likewise.sources.split_lists import from_lists
from likewise.sources.voc_xml import Corners, half_open, parsed


class Voc(BoxSource):
    """The layout of Pascal VOC: ``JPEGImages/``, ``Annotations/*.xml``, ``ImageSets/Main/``.

    The image of an XML file is the one of its name, else the one that its ``filename`` says;
    where there is a folder JPEGImages, images are only there. Corners are pixels counted from 1
    and inclusive, as VOC defines them, and become half-open: x1 and y1 are less by 1. Where a
    tool wrote half-open corners instead, say ``corners: half-open``. Rows are by split (train,
    val, test, any other), image and box. An object's parts (head, hand) are not read.
    """

    further: ClassVar[tuple[Column, ...]] = (
        Column("pose", pa.string(), "the viewpoint, as annotated", nullable=True),
        Column("truncated", pa.bool_(), "the object goes on outside of the box", nullable=True),
        Column("difficult", pa.bool_(), "VOC leaves it out of evaluations", nullable=True),
        Column("occluded", pa.bool_(), "something stands before the object", nullable=True),
    )

    corners: Corners = "1-based"
    """How corners count: from 1 and inclusive (VOC), or half-open from 0."""

    splits: tuple[str, ...] = ("train", "val", "test")
    """Names of the lists in ``ImageSets/Main`` that are splits; an image has the first."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        images = self.images(files)
        notes = Notes(files, annotations)
        names = notes.names(r"\.xml\z")
        if names.is_empty():
            raise notes.absent("Annotations/{name}.xml")
        told_by = parsed(notes.read(names))
        explained, lost = _with_images(told_by.images, images["path"])
        explained, twins = first_each(explained, "image_id", "xml", "its image has another XML")
        splits, unknown = from_lists(files, notes, "imagesets/main", self.splits, images)
        told = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .join(explained, on="image_id", how="left", maintain_order="left")
            .with_columns(listed=pl.col("xml").is_not_null())
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        boxes = told_by.boxes.join(explained.select("xml", "image_id"), on="xml")
        made = self.boxed(
            told.select("image_id", "split", "listed"),
            half_open(boxes.drop("xml"), self.corners),
        )
        used = pl.col("path").str.to_lowercase().str.ends_with(".xml")
        return reading(
            files,
            made.items,
            findings_frame(told_by.broken),
            lost,
            twins,
            unknown,
            made.faults,
            foreign(files, images, used),
            further=self.further,
            sizes=told.select("image_id", "width", "height"),
            wholes=made.wholes,
        )

    def images(self, files: Files) -> pl.DataFrame:
        """Every image; where there are folders JPEGImages and no ``root``, only those there."""
        found = super().images(files)
        kept = found.filter(pl.col("path").str.contains(r"(^|/)JPEGImages/"))
        return found if self.root or kept.is_empty() else kept


def _with_images(
    explained: pl.DataFrame, paths: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The XML files with the images that they mean, and findings about the others."""
    name = pl.col("xml").str.replace(r"(?i)\A(?:.*/)?annotations/", "")
    named = explained.with_columns(reference=name.str.replace(r"(?i)\.xml\z", ""))
    by_name = match(named["reference"], paths, stems=True)
    rest = named.join(by_name.found, on="reference", how="anti")
    by_word = match(rest["filename"], paths).found.rename({"reference": "filename"})
    hits = pl.concat(
        [named.join(by_name.found, on="reference"), rest.join(by_word, on="filename")],
        how="diagonal",
    )
    lost = rest.join(by_word, on="filename", how="anti")
    found = hits.select("xml", "width", "height", image_id="path")
    return found.sort("xml"), dangling(lost, by_name.faults, pl.col("xml"))
