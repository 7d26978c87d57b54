"""Pascal VOC's XML files: image size, and objects with boxes.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.formats.xml_documents import parse_xml
from likewise.sources.box_source import CORNERS, RowBuffer

CornerConvention = Literal["1-based", "half-open"]
"""Convention of box corners: inclusive from 1, as VOC defines them, or half-open from 0."""

_FLAGS = ("truncated", "difficult", "occluded")
_OBJECT_COLUMNS = {
    "name": "label",
    "pose": "pose",
    **{flag: flag for flag in _FLAGS},
    "bndbox/xmin": "x1",
    "bndbox/ymin": "y1",
    "bndbox/xmax": "x2",
    "bndbox/ymax": "y2",
}
"""Element of an object -> column."""

_MAX_DEPTH = 4
"""Depth of the deepest element that is read: annotation/object/bndbox/xmin."""

_IMAGE_COLUMNS = {"filename": "filename", "size/width": "width", "size/height": "height"}


class VocAnnotations(NamedTuple):
    """Contents of VOC's XML files.

    Attributes:
        images: ``xml``, ``filename``, ``width``, ``height``.
        boxes: ``xml``, ``number``, and the columns of an object.
        invalid: ``(path, check, detail)`` of files that are not VOC's XML.
    """

    images: pl.DataFrame
    boxes: pl.DataFrame
    invalid: list[tuple[str, str, str]]


def parse_voc_files(contents: Iterator[tuple[str, bytes]]) -> VocAnnotations:
    """Parse the files in ``contents`` (path, bytes); rows are sorted by path."""
    texts = dict.fromkeys(_OBJECT_COLUMNS.values(), pl.String)
    images = RowBuffer({"xml": pl.String, **dict.fromkeys(_IMAGE_COLUMNS.values(), pl.String)})
    boxes = RowBuffer({"xml": pl.String, "number": pl.Int64, **texts})
    invalid = []
    for path, data in contents:
        try:
            document = _Document(data)
        except ValueError as error:
            invalid.append((path, "bad-annotation", f"not VOC's XML: {error}"))
            continue
        images.add(path, *(document.facts.get(key) for key in _IMAGE_COLUMNS))
        for number, obj in enumerate(document.objects, start=1):
            boxes.add(path, number, *(obj.get(key) for key in _OBJECT_COLUMNS))
    image_rows = images.frame().with_columns(_number("width"), _number("height")).sort("xml")
    flags = [
        pl.col(f)
        .str.to_lowercase()
        .replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
        for f in _FLAGS
    ]
    typed = boxes.frame().with_columns(*map(_number, CORNERS), *flags)
    return VocAnnotations(image_rows, typed.sort("xml", "number"), invalid)


def to_half_open(boxes: pl.DataFrame, corners: CornerConvention) -> pl.DataFrame:
    """Convert ``boxes`` (x1, y1, x2, y2) from convention ``corners`` to half-open pixels."""
    if corners == "half-open":
        return boxes
    return boxes.with_columns(pl.col("x1") - 1, pl.col("y1") - 1)


def zero_corner_findings(boxes: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return a finding row if a corner of ``boxes`` cannot count from 1.

    Args:
        boxes: corners as annotated, and ``xml``.
    """
    low = boxes.filter((pl.col("x1") < 1) | (pl.col("y1") < 1))
    if low.is_empty():
        return []
    detail = (
        f"{len(low):,} of {counted(len(boxes), 'box', 'has', 'have')} an xmin or ymin below "
        "1, where VOC begins to count; if they count from 0, set --option corners=half-open"
    )
    return [(low["xml"][0], "zero-corner", detail)]


_BOOLEANS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)


class _Document:
    """One XML file: values of its image and of its objects, element -> text."""

    def __init__(self, data: bytes) -> None:
        self.facts: dict[str, str] = {}
        self.objects: list[dict[str, str]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        parse_xml(data, self._start, self._end, self._text.append)
        if self._root != "annotation":
            raise ValueError(f"its root is {self._root!r}, not 'annotation'")

    _root = ""

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._root = self._root or name
        self._path.append(name)
        self._text.clear()
        if len(self._path) == 2 and name == "object":
            self.objects.append({})

    def _end(self, _: str) -> None:
        # Deeper elements are ignored; building their paths would be slow.
        place = "/".join(self._path[1:]) if len(self._path) <= _MAX_DEPTH else ""
        text = "".join(self._text).strip()
        self._path.pop()
        self._text.clear()
        inside = place.removeprefix("object/")
        if place in _IMAGE_COLUMNS:
            self.facts.setdefault(place, text)
        elif inside != place and inside in _OBJECT_COLUMNS and text:
            self.objects[-1].setdefault(inside, text)
