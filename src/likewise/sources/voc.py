"""Pascal VOC: an XML file an image, and lists of image names that are the splits.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple
from xml.parsers import expat

import polars as pl
import pyarrow as pa

from likewise.files import Files
from likewise.schema import Column
from likewise.sources.base import Reading, findings_frame, reading
from likewise.sources.boxes import (
    CORNERS,
    BoxSource,
    Gathered,
    dangling,
    first_each,
    foreign,
    split_rank,
)
from likewise.sources.notes import Notes
from likewise.sources.references import match
from likewise.sources.splits import from_lists

_FLAGS = ("truncated", "difficult", "occluded")
_OBJECT = {
    "name": "label",
    "pose": "pose",
    **{flag: flag for flag in _FLAGS},
    "bndbox/xmin": "x1",
    "bndbox/ymin": "y1",
    "bndbox/xmax": "x2",
    "bndbox/ymax": "y2",
}
"""An element of an object, and the column that it becomes."""

_IMAGE = {"filename": "filename", "size/width": "width", "size/height": "height"}


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

    corners: Literal["1-based", "half-open"] = "1-based"
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
        parsed = _parsed(notes.read(names))
        explained, lost = _with_images(parsed.images, images["path"])
        explained, twins = first_each(explained, "image_id", "xml", "its image has another XML")
        splits, unknown = from_lists(files, notes, "imagesets/main", self.splits, images)
        told = (
            images.select(image_id="path")
            .join(splits, on="image_id", how="left", maintain_order="left")
            .join(explained, on="image_id", how="left", maintain_order="left")
            .with_columns(listed=pl.col("xml").is_not_null())
            .sort(split_rank(), "split", "image_id", nulls_last=True)
        )
        boxes = parsed.boxes.join(explained.select("xml", "image_id"), on="xml")
        items, faults = self.boxed(
            told.select("image_id", "split", "listed"), self._half_open(boxes.drop("xml"))
        )
        used = pl.col("path").str.to_lowercase().str.ends_with(".xml")
        return reading(
            files,
            items,
            findings_frame(parsed.broken),
            lost,
            twins,
            unknown,
            faults,
            foreign(files, images, used),
            further=self.further,
            sizes=told.select("image_id", "width", "height"),
        )

    def images(self, files: Files) -> pl.DataFrame:
        """Every image; where there are folders JPEGImages and no ``root``, only those there."""
        found = super().images(files)
        kept = found.filter(pl.col("path").str.contains(r"(^|/)JPEGImages/"))
        return found if self.root or kept.is_empty() else kept

    def _half_open(self, boxes: pl.DataFrame) -> pl.DataFrame:
        if self.corners == "half-open":
            return boxes
        return boxes.with_columns(pl.col("x1") - 1, pl.col("y1") - 1)


class _Parsed(NamedTuple):
    """What the XML files say.

    Columns of ``images``: xml, filename, width, height; of ``boxes``: xml, number, and those of
    an object; ``broken`` are the files that are no such XML: path, check, detail.
    """

    images: pl.DataFrame
    boxes: pl.DataFrame
    broken: list[tuple[str, str, str]]


def _parsed(contents: Iterator[tuple[str, bytes]]) -> _Parsed:
    texts = dict.fromkeys(_OBJECT.values(), pl.String)
    images = Gathered({"xml": pl.String, **dict.fromkeys(_IMAGE.values(), pl.String)})
    boxes = Gathered({"xml": pl.String, "number": pl.Int64, **texts})
    broken = []
    for path, data in contents:
        try:
            document = _Document(data)
        except (expat.ExpatError, ValueError, LookupError) as error:
            broken.append((path, "bad-annotation", f"not VOC's XML: {error}"))
            continue
        images.add(path, *(document.facts.get(key) for key in _IMAGE))
        for number, found in enumerate(document.objects, start=1):
            boxes.add(path, number, *(found.get(key) for key in _OBJECT))
    sizes = images.frame().with_columns(_number("width"), _number("height")).sort("xml")
    flags = [
        pl.col(f)
        .str.to_lowercase()
        .replace_strict(_SAID, default=None, return_dtype=pl.Boolean)
        for f in _FLAGS
    ]
    typed = boxes.frame().with_columns(*map(_number, CORNERS), *flags)
    return _Parsed(sizes, typed.sort("xml", "number"), broken)


_SAID = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)


class _Document:
    """One XML file: the facts of its image, and its objects, each element -> text."""

    def __init__(self, data: bytes) -> None:
        self.facts: dict[str, str] = {}
        self.objects: list[dict[str, str]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(data, True)  # noqa: FBT003 (pyexpat takes it by place only)
        if self._root != "annotation":
            raise ValueError(f"its root is {self._root!r}, not 'annotation'")

    _root = ""

    def _refuse(self, *_: object) -> None:
        # A document type can define entities, which can grow without end.
        raise ValueError("it has a document type, which VOC has not")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._root = self._root or name
        self._path.append(name)
        self._text.clear()
        if self._path[1:] == ["object"]:
            self.objects.append({})

    def _end(self, _: str) -> None:
        place, text = "/".join(self._path[1:]), "".join(self._text).strip()
        self._path.pop()
        self._text.clear()
        inside = place.removeprefix("object/")
        if place in _IMAGE:
            self.facts.setdefault(place, text)
        elif inside != place and inside in _OBJECT and text:
            self.objects[-1].setdefault(inside, text)


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
