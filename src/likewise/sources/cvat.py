"""CVAT for images: one XML file for all images.

Source: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/, version 1.1.
"""

from typing import Any, ClassVar

from likewise.formats.counted_nouns import counted
from likewise.formats.xml_documents import parse_xml
from likewise.sources.shape_bounds import Bounds, of_ellipse, of_points, of_rectangle
from likewise.sources.split_names import split_of
from likewise.sources.tool_source import (
    SHAPE_ERRORS,
    ToolEntries,
    ToolSource,
    WrongFormat,
    free_keys,
)

_SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "mask", "cuboid")
_GEOMETRY = frozenset(
    [
        "label",
        "points",
        "xtl",
        "ytl",
        "xbr",
        "ybr",
        "cx",
        "cy",
        "rx",
        "ry",
        "rotation",
        "rle",
        "left",
        "top",
        "width",
        "height",
        "z_order",
    ]
)


class CvatSource(ToolSource):
    """CVAT for images 1.1: ``annotations.xml`` with ``image`` elements, and images anywhere.

    The bounds of a box (turned by its rotation), polygon, ellipse, mask or another shape become
    the box. A tag is the label of its image. Attributes, ``occluded``, ``group_id`` and
    ``source`` are columns. ``subset`` is the split.
    """

    suffixes: ClassVar[str] = r"\.xml\z"
    expected: ClassVar[str] = "annotations.xml of CVAT for images"

    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """See ``ToolSource.parse``."""
        try:
            document = _Document(where, data, entries)
        except ValueError as error:
            raise WrongFormat(f"no XML of CVAT: {error}") from error
        if document.tracks:
            tracks = counted(document.tracks, "track")
            detail = f"{tracks} of a video are left out; export as 'CVAT for images'"
            entries.fault(f"{where}: track", detail)


class _Document:
    """One file; images are added to ``entries`` while it is parsed."""

    def __init__(self, where: str, data: bytes, entries: ToolEntries) -> None:
        self.tracks = 0
        self._where, self._entries = where, entries
        self._path: list[str] = []
        self._image: dict[str, str] = {}
        self._shape: tuple[str, dict[str, str], dict[str, str]] | None = None
        self._attribute = ""
        self._boxes: list[dict[str, Any]] = []
        self._tags: list[tuple[str, dict[str, str]]] = []
        self._text: list[str] = []
        parse_xml(data, self._start, self._end, self._text.append)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text.clear()
        if len(self._path) == 1 and name != "annotations":
            raise ValueError(f"its root is {name!r}, not 'annotations'")
        if len(self._path) == 2 and name == "track":
            self.tracks += 1
        if self._path == ["annotations", "image"]:
            self._image, self._boxes, self._tags = attributes, [], []
        elif self._path[:2] == ["annotations", "image"] and len(self._path) == 3:
            self._shape = (name, attributes, {})
        elif name == "attribute":
            self._attribute = attributes.get("name", "")

    def _end(self, name: str) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        if name == "attribute" and self._shape is not None:
            self._shape[2][self._attribute] = text
        elif len(self._path) == 3 and self._shape is not None:
            self._add_shape(*self._shape)
            self._shape = None
        elif self._path == ["annotations", "image"]:
            self._add_image()
        self._path.pop()

    def _add_shape(
        self, kind: str, attributes: dict[str, str], further: dict[str, str]
    ) -> None:
        own = {k: v for k, v in attributes.items() if k not in _GEOMETRY}
        if "occluded" in own:
            own["occluded"] = "true" if own["occluded"] == "1" else "false"
        label = attributes.get("label")
        if kind == "tag":
            self._tags.append((label or "", further))
            return
        number = len(self._boxes) + 1
        place = f"{self._where}: {self._image.get('name')}, {kind} {number}"
        if kind not in _SHAPES:
            self._entries.fault(place, f"the shape {kind!r} is unknown")
            return
        try:
            box = _bounds(kind, attributes)
        except SHAPE_ERRORS as error:
            self._entries.fault(place, f"its shape cannot be read: {error}")
            return
        self._boxes.append({**free_keys({**own, **further}), "box": box, "label": label})

    def _add_image(self) -> None:
        name, where = self._image.get("name"), self._where
        if not name:
            self._entries.fault(f"{where}: image {self._image.get('id')}", "it has no name")
            return
        subset = self._image.get("subset")
        label, extra = self._tags[0] if self._tags else (None, {})
        for other, _ in self._tags[1:]:
            self._entries.fault(
                f"{where}: {name}, tag {other}", f"the image is {label} already"
            )
        self._entries.add_image(
            f"{where}: {name}",
            name,
            self._boxes,
            label=label or None,
            split=(split_of(subset) or subset) if subset else None,
            size=(_number(self._image.get("width")), _number(self._image.get("height"))),
            extra=extra,
        )


def _bounds(kind: str, values: dict[str, str]) -> Bounds:
    """Return the bounds of a shape; a cuboid has eight corners ``xtl1`` to ``ybr2``."""
    numbers = {k: float(v) for k, v in values.items() if k in _GEOMETRY and _is_number(v)}
    if kind == "box":
        x, y = numbers["xtl"], numbers["ytl"]
        w, h = numbers["xbr"] - x, numbers["ybr"] - y
        return of_rectangle(x, y, w, h, numbers.get("rotation", 0), around_centre=True)
    if kind == "ellipse":
        x, y, rx, ry = (numbers[k] for k in ("cx", "cy", "rx", "ry"))
        if not numbers.get("rotation"):
            return of_ellipse(x, y, rx, ry)
        return of_rectangle(
            x - rx, y - ry, 2 * rx, 2 * ry, numbers["rotation"], around_centre=True
        )
    if kind == "mask":
        return of_rectangle(*(numbers[k] for k in ("left", "top", "width", "height")))
    if kind == "cuboid":
        xs = [float(v) for k, v in values.items() if k.startswith("x")]
        ys = [float(v) for k, v in values.items() if k.startswith("y")]
        return of_points([(min(xs), min(ys)), (max(xs), max(ys))])
    return of_points(pair.split(",") for pair in values["points"].split(";"))


def _is_number(text: str) -> bool:
    return _number(text) is not None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
