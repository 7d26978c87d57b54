"""Lines of YOLO's label files: boxes, polygons, oriented boxes and poses.

Source: https://docs.ultralytics.com/datasets/, "detect", "segment", "obb" and "pose".
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from likewise.formats.counted_nouns import counted
from likewise.sources.box_source import BOX_COLUMNS, RowBuffer

MIN_POLYGON_NUMBERS = 7
"""Numbers in a line of the smallest polygon: the class, and three points."""

FindingRows = list[tuple[str, str, str]]
Corners = tuple[float, float, float, float]
KeypointShape = tuple[int, int]
"""Number of keypoints of an object, and numbers of a keypoint (2, or 3 with visibility)."""

_POSE_ADVICE = "--option 'kpt_shape=[{}, {}]'"


class YoloLabels(NamedTuple):
    """Contents of label files.

    Attributes:
        boxes: ``label_file`` and ``BOX_COLUMNS`` without ``image_id``, as fractions.
        invalid: finding rows about lines that cannot be read.
        doubts: finding rows about lines that may mean something else.
    """

    boxes: pl.DataFrame
    invalid: FindingRows
    doubts: FindingRows


def parse_label_files(
    contents: Iterator[tuple[str, bytes]],
    classes: Sequence[str] | None,
    keypoints: KeypointShape | None,
) -> YoloLabels:
    """Parse the label files in ``contents`` (path, bytes).

    Args:
        contents: paths and bytes.
        classes: names of the classes; None if they have none.
        keypoints: shape of the keypoints behind a box; None if there are none.
    """
    columns = {
        "label_file": pl.String,
        **{c: t for c, t in BOX_COLUMNS.items() if c != "image_id"},
    }
    lines = RowBuffer(columns)
    invalid: FindingRows = []
    polygons: dict[int, int] = {}
    poses: dict[int, list[str]] = {}
    for path, data in contents:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            invalid.append((path, "bad-annotation", f"not UTF-8: {error.reason}"))
            continue
        rows = (line.split() for line in text.splitlines() if line.strip())
        for number, fields in enumerate(rows, start=1):
            place = f"{path}: line {number}"
            try:
                class_number, corners = parse_line(fields, keypoints)
            except ValueError as error:
                invalid.append((place, "bad-annotation", str(error)))
                continue
            if keypoints is None and len(fields) >= MIN_POLYGON_NUMBERS:
                polygons[len(fields)] = polygons.get(len(fields), 0) + 1
                if _may_be_pose(fields):
                    poses.setdefault(len(fields), []).append(place)
            label = _label(class_number, classes)
            if not label:
                count = len(classes or ())
                detail = f"there are {counted(count, 'class')}, and no number {class_number}"
                invalid.append((place, "unknown-class", detail))
            lines.add(path, number, label or None, *corners)
    doubts = [_pose_doubt(n, p) for n, p in poses.items() if len(p) == polygons[n]]
    return YoloLabels(lines.frame(), invalid, doubts)


def _label(class_number: int, classes: Sequence[str] | None) -> str:
    """Return the name of a class, its number if there are no names, or ""."""
    if classes is None:
        return str(class_number)
    return classes[class_number] if class_number < len(classes) else ""


def parse_line(fields: Sequence[str], keypoints: KeypointShape | None) -> tuple[int, Corners]:
    """Return the class number of a line, and its corners as fractions of the image size.

    Raises:
        ValueError: the line is neither a box, nor a polygon, nor a box with keypoints.
    """
    class_number, *values = map(float, fields)
    if class_number < 0 or not class_number.is_integer():
        raise ValueError(f"its class, {fields[0]}, is no number of a class")
    expected = 5 + (keypoints[0] * keypoints[1] if keypoints else 0)
    if len(fields) in (5, expected):
        return int(class_number), _box(values)
    if keypoints is not None:
        raise ValueError(
            f"it has {counted(len(fields), 'number')}, not {expected} by kpt_shape"
        )
    if len(fields) >= MIN_POLYGON_NUMBERS and len(fields) % 2:
        xs, ys = values[::2], values[1::2]
        return int(class_number), (min(xs), min(ys), max(xs), max(ys))
    raise ValueError(
        f"it has {counted(len(fields), 'number')}, not 5 (a box) or a class and "
        f"points{_advice(fields)}"
    )


def _box(values: Sequence[float]) -> Corners:
    x, y, w, h = values[:4]
    return (x - w / 2, y - h / 2, x + w / 2, y + h / 2)


def _advice(fields: Sequence[str]) -> str:
    """Return the option for a line with keypoints, or what six numbers may be."""
    if len(fields) == 6:
        return "; the sixth may be a confidence or an angle, which are not read"
    if len(fields) > 6 and (len(fields) - 5) % 3 == 0:
        shape = _POSE_ADVICE.format((len(fields) - 5) // 3, 3)
        return f"; if it is a box and keypoints, set {shape}"
    return ""


def _may_be_pose(fields: Sequence[str]) -> bool:
    """Return whether the numbers after a possible box are points in it, or visibilities."""
    values = [float(field) for field in fields[1:]]
    x1, y1, x2, y2 = _box(values)
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        return False
    for step in (3, 2):
        if (len(values) - 4) % step:
            continue
        points = [values[n : n + step] for n in range(4, len(values), step)]
        seen = [p for p in points if (p[0], p[1]) != (0, 0)]
        inside = all(x1 <= p[0] <= x2 and y1 <= p[1] <= y2 for p in seen)
        if seen and inside and (step == 2 or all(p[2] in (0, 1, 2) for p in points)):
            return True
    return False


def _pose_doubt(count: int, places: Sequence[str]) -> tuple[str, str, str]:
    shapes = [
        _POSE_ADVICE.format((count - 5) // step, step)
        for step in (2, 3)
        if (count - 5) % step == 0
    ]
    detail = (
        f"{counted(len(places), f'line of {count} numbers', 'is', 'are')} read as a polygon, "
        f"and may be a box and keypoints in it; if so, set {' or '.join(shapes)}"
    )
    return places[0], "box-or-polygon", detail
