"""LabelMe: one JSON file per image, next to it.

Source: https://github.com/wkentaro/labelme, "examples".
"""

from typing import Any, ClassVar

import msgspec

from likewise.sources.annotation_files import JSON_ERRORS
from likewise.sources.shape_bounds import Bounds, of_circle, of_points
from likewise.sources.tool_source import ToolEntries, ToolSource, WrongFormat, free_keys


class _Shape(msgspec.Struct):
    points: list[list[float]]
    label: str | int | None = None
    shape_type: str = "polygon"
    group_id: int | str | None = None
    description: str | None = None
    flags: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None


class _File(msgspec.Struct):
    """A file of LabelMe; the image that it may contain is never decoded."""

    shapes: list[msgspec.Raw]
    imagePath: str | None = None  # noqa: N815 (name in the file)
    imageWidth: float | None = None  # noqa: N815
    imageHeight: float | None = None  # noqa: N815
    flags: dict[str, Any] | None = None


class LabelMeSource(ToolSource):
    """LabelMe (also AnyLabeling): ``a.json`` next to ``a.jpg``, with ``shapes``.

    The bounds of a rectangle, polygon, circle, line or mask become the box. A file without
    shapes and with one flag that is set has that flag as the label of its image.
    """

    expected: ClassVar[str] = "{name}.json of LabelMe, with shapes, for {name}.jpg"

    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """See ``ToolSource.parse``."""
        try:
            content = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_File)
        except JSON_ERRORS as error:
            raise WrongFormat(f"no JSON of LabelMe: {error}") from error
        boxes = []
        for number, raw in enumerate(content.shapes, start=1):
            try:
                shape = msgspec.json.decode(raw, type=_Shape)
                box = _bounds(shape)
            except (ValueError, IndexError, *JSON_ERRORS) as error:
                entries.fault(f"{where}: shape {number}", str(error))
                continue
            values = {"group_id": shape.group_id, "description": shape.description}
            further = {**_set(shape.flags), **(shape.attributes or {}), **values}
            label = None if shape.label is None else str(shape.label)
            boxes.append({**free_keys(further), "box": box, "label": label})
        flags = _set(content.flags)
        single = next(iter(flags)) if len(flags) == 1 and not content.shapes else None
        image = content.imagePath or f"{where.rpartition('/')[2][: -len('.json')]}.jpg"
        size = (content.imageWidth, content.imageHeight)
        extra = {} if single else flags
        entries.add_image(where, image, boxes, label=single, size=size, extra=extra)


def _bounds(shape: _Shape) -> Bounds:
    if shape.shape_type == "circle" and len(shape.points) == 2:
        return of_circle(*shape.points)
    return of_points(shape.points)


def _set(flags: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (flags or {}).items() if value}
