"""Boxes in one cell of a table: numbers, lists, polygons, keypoints, and shapes of programs."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import msgspec

from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import JSON_ERRORS
from likewise.sources.shape_bounds import of_ellipse, of_points, of_rectangle

BoxFormat = Literal["auto", "xyxy", "xywh", "cxcywh"]
"""Order of the four numbers: corners, corner and size, or centre and size."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)
_SIZES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
)
_LABELS = (
    "rectanglelabels",
    "polygonlabels",
    "keypointlabels",
    "brushlabels",
    "label",
    "class",
)
_MAX_LENGTH = 1 << 20


_Corners = tuple[float, float, float, float]


class CellBox(NamedTuple):
    """A box: four numbers in the order of ``form``, and the label that the cell has for it.

    ``form`` is "" for four numbers whose order the cell does not say.
    """

    numbers: _Corners
    form: Literal["", "xyxy", "xywh"]
    label: str | None = None


def boxes_in_cell(text: str, kind: str = "box") -> list[CellBox]:
    """Return the boxes in a cell.

    A cell has four numbers between blanks, commas or brackets; a list of such; an object with
    names such as x, y, width, height; a shape of VIA; or a result of Label Studio, whose
    percentages become pixels. Of the kinds polygon and keypoints, it becomes their bounds.

    Raises:
        ValueError: the cell has no box; the text says why.

    Example:
        >>> boxes_in_cell("[34.0, 22.0, 56.0, 36.0]")
        [CellBox(numbers=(34.0, 22.0, 56.0, 36.0), form='', label=None)]
        >>> boxes_in_cell('{"x": 1, "y": 2, "width": 3, "height": 4}')[0].form
        'xywh'
        >>> boxes_in_cell("1 2 9 2 9 8", "polygon")[0].numbers
        (1.0, 2.0, 9.0, 8.0)
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"its cell has {counted(len(text), 'character')}")
    try:
        return list(_boxes(_parsed(text), kind))
    except RecursionError as error:
        raise ValueError("its cell is nested too deeply") from error


def _parsed(text: str) -> Any:
    """Return the JSON of a cell, or its numbers."""
    if text.lstrip()[:1] in {"[", "{"}:
        with suppress(*JSON_ERRORS):
            return msgspec.json.decode(text)
        with suppress(*JSON_ERRORS):  # a list of tuples, as Python prints it
            return msgspec.json.decode(text.replace("(", "[").replace(")", "]"))
    words = [word for word in re.split(r"[\s,;|()\[\]]+", text) if word]
    if not words or not all(_NUMBER.fullmatch(word) for word in words):
        raise ValueError("its cell has no numbers of a box")
    return [float(word) for word in words]


def _boxes(value: Any, kind: str) -> Iterator[CellBox]:
    if isinstance(value, Mapping):
        yield _of_object(value)
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        for entry in value:
            yield _of_object(entry)
    elif isinstance(value, list) and not value:
        return
    elif kind != "box":
        yield CellBox(_four(of_points(_points(value, 3 if kind == "keypoints" else 2))), "xyxy")
    elif isinstance(value, list) and all(isinstance(v, list) for v in value):
        for entry in value:
            yield CellBox(_four(entry), "")
    else:
        yield CellBox(_four(value), "")


def _four(value: Any) -> _Corners:
    numbers = _numbers(value)
    if len(numbers) != 4:
        raise ValueError(f"its cell has {counted(len(numbers), 'number')}, not the 4 of a box")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _numbers(value: Any) -> list[float]:
    if not isinstance(value, list):
        raise ValueError("its cell has no list of numbers")  # noqa: TRY004
    return [_number(v) for v in value]


def _number(value: Any) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem = f"its cell has {str(value)[:40]!r} where a number is expected"
        raise ValueError(problem)  # noqa: TRY004
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _points(value: Any, step: int) -> list[tuple[float, float]]:
    """Return the points of nested or flat lists; keypoints with visibility 0 are left out."""
    if not isinstance(value, list):
        raise ValueError("its cell has no list of points")  # noqa: TRY004
    if value and all(isinstance(v, Mapping) for v in value):
        return [(_number(v.get("x")), _number(v.get("y"))) for v in value]
    if value and all(isinstance(v, list) for v in value):
        if all(len(v) in (2, 3) for v in value):
            return [
                (_number(v[0]), _number(v[1])) for v in value if len(v) < 3 or _number(v[2])
            ]
        return [point for part in value for point in _points(part, step)]
    numbers = _numbers(value)
    if len(numbers) % step:
        raise ValueError(
            f"its {counted(len(numbers), 'number', 'is', 'are')} no points of {step}"
        )
    rows = [numbers[at : at + step] for at in range(0, len(numbers), step)]
    return [(row[0], row[1]) for row in rows if step < 3 or row[2]]


def _of_object(entry: Mapping[str, Any]) -> CellBox:
    """Return the box of an object: named numbers, a shape of VIA, a result of Label Studio."""
    value = entry.get("value")
    merged = {**entry, **value} if isinstance(value, Mapping) else entry
    lower = {str(key).lower(): item for key, item in merged.items()}
    label = next((_label(lower[name]) for name in _LABELS if name in lower), None)
    if "original_width" in lower and "original_height" in lower:
        return CellBox(_of_label_studio(lower), "xyxy", label)
    if (shape := _of_via(lower)) is not None:
        return CellBox(shape, "xyxy", label)
    if (box := _of_names(lower)) is not None:
        return box._replace(label=box.label or label)
    raise ValueError(
        f"its object has no box; it has {', '.join(sorted(lower)[:6]) or 'nothing'}"
    )


def _of_names(lower: Mapping[str, Any]) -> CellBox | None:
    """Return the box of named numbers, or of a list of numbers; None if there is none."""
    for names in _CORNERS:
        if all(name in lower for name in names):
            return CellBox(_four([lower[name] for name in names]), "xyxy")
    for names in _SIZES:
        if all(name in lower for name in names):
            return CellBox(_four([lower[name] for name in names]), "xywh")
    lists: tuple[tuple[str, str], ...] = (("bbox", "box"), ("points", "polygon"))
    return next((next(_boxes(lower[n], kind), None) for n, kind in lists if n in lower), None)


def _label(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str) and value else None


def _of_via(shape: Mapping[str, Any]) -> _Corners | None:
    """Return the bounds of a shape of VIA; None if it is none."""
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if isinstance(xs, list) and isinstance(ys, list):
        return _four(of_points(zip(_numbers(xs), _numbers(ys), strict=False)))
    if "cx" in shape and "cy" in shape:
        rx = _number(shape.get("r", shape.get("rx", 0)))
        ry = _number(shape.get("r", shape.get("ry", rx)))
        return _four(of_ellipse(_number(shape["cx"]), _number(shape["cy"]), rx, ry))
    return None


def _of_label_studio(result: Mapping[str, Any]) -> _Corners:
    """Return the bounds in pixels of a result, whose numbers are percentages."""
    width, height = _number(result["original_width"]), _number(result["original_height"])
    if "points" in result:
        points = [(x / 100 * width, y / 100 * height) for x, y in _points(result["points"], 2)]
        return _rounded(of_points(points))
    x, y, w, h = (_number(result.get(name, 0)) / 100 for name in ("x", "y", "width", "height"))
    angle = _number(result.get("rotation") or 0)
    return _rounded(of_rectangle(x * width, y * height, w * width, h * height, angle))


def _rounded(numbers: Sequence[float]) -> _Corners:
    return _four([round(n, 4) if math.isfinite(n) else n for n in numbers])
