"""Pascal VOC's XML: what a file says of its image and of the objects in it.

Source: Everingham and Winn, The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from xml.parsers import expat

import polars as pl

from likewise.sources.box_source import CORNERS, Gathered

Corners = Literal["1-based", "half-open"]
"""How corners count: from 1 and inclusive, as VOC defines them, or half-open from 0."""

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

_DEEPEST = 4
"""annotation/object/bndbox/xmin: so many elements lie in each other."""

_IMAGE = {"filename": "filename", "size/width": "width", "size/height": "height"}


class Annotated(NamedTuple):
    """What the XML files say.

    Columns of ``images``: xml, filename, width, height; of ``boxes``: xml, number, and those of
    an object; ``broken`` are the files that are no such XML: path, check, detail.
    """

    images: pl.DataFrame
    boxes: pl.DataFrame
    broken: list[tuple[str, str, str]]


def parsed(contents: Iterator[tuple[str, bytes]]) -> Annotated:
    """What the files of ``contents`` (path, bytes) say; rows are in the order of the paths."""
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
    return Annotated(sizes, typed.sort("xml", "number"), broken)


def half_open(boxes: pl.DataFrame, corners: Corners) -> pl.DataFrame:
    """``boxes`` (x1, y1, x2, y2, which count as ``corners`` says) as half-open pixels."""
    if corners == "half-open":
        return boxes
    return boxes.with_columns(pl.col("x1") - 1, pl.col("y1") - 1)


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
        if len(self._path) == 2 and name == "object":
            self.objects.append({})

    def _end(self, _: str) -> None:
        # What lies deeper says nothing, and its path would be long to spell each time.
        place = "/".join(self._path[1:]) if len(self._path) <= _DEEPEST else ""
        text = "".join(self._text).strip()
        self._path.pop()
        self._text.clear()
        inside = place.removeprefix("object/")
        if place in _IMAGE:
            self.facts.setdefault(place, text)
        elif inside != place and inside in _OBJECT and text:
            self.objects[-1].setdefault(inside, text)
