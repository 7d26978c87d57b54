"""VIA: JSON or CSV of the VGG Image Annotator.

Source: https://www.robots.ox.ac.uk/~vgg/software/via/, versions 1 and 2.
"""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from likewise.errors import DamagedError
from likewise.formats.json_documents import parse_json
from likewise.sources.annotation_files import decode_text
from likewise.sources.shape_bounds import Bounds, of_ellipse, of_points, of_rectangle
from likewise.sources.tool_source import (
    SHAPE_ERRORS,
    ToolEntries,
    ToolSource,
    WrongFormat,
    as_list,
    as_object,
    free_keys,
)

_LABELS = ("label", "class", "name", "category", "type", "object", "species")
"""Usual attributes with the class, the preferred one first."""

_CSV_COLUMNS = {"region_shape_attributes", "region_attributes"}
_IMAGE_COLUMNS = ("filename", "#filename")


class ViaSource(ToolSource):
    """VIA: a project, exported annotations as JSON, or as CSV.

    The bounds of a rectangle, circle, ellipse, polygon or line become the box. The label is the
    attribute ``label`` of a region, or one with another usual name, or the only one; option
    ``label`` names it. All other attributes are columns.
    """

    expected: ClassVar[str] = "JSON or CSV of VIA, with regions of images"
    suffixes: ClassVar[str] = r"\.(json|csv)\z"

    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """See ``ToolSource.parse``."""
        try:
            is_table = where.lower().endswith(".csv")
            images = _from_csv(where, data) if is_table else _from_json(where, data)
        except DamagedError as error:
            raise WrongFormat(str(error)) from error
        for image in images.values():
            self._add(where, image, entries)

    def _add(self, where: str, image: Mapping[str, Any], entries: ToolEntries) -> None:
        name = str(image["filename"])
        boxes = []
        # Version 1 stores regions as an object.
        for number, region in enumerate(as_list(image.get("regions")), start=1):
            place = f"{where}: {name}, region {number}"
            try:
                box = _bounds(region["shape_attributes"])
            except SHAPE_ERRORS as error:
                entries.fault(place, f"its shape cannot be read: {error}")
                continue
            attributes = as_object(region.get("region_attributes"))
            values = {k: _plain(v) for k, v in attributes.items()}
            label = self._label(values)
            others = {k: v for k, v in values.items() if k != label}
            boxes.append({**free_keys(others), "box": box, "label": values.get(label or "")})
        extra = {k: _plain(v) for k, v in as_object(image.get("file_attributes")).items()}
        text = extra.pop("caption", None)
        label = self.label if self.label in extra else ""
        entries.add_image(
            f"{where}: {name}",
            name,
            boxes,
            label=extra.pop(label, None) if not boxes else None,
            text=text,
            extra=extra,
        )

    def _label(self, values: Mapping[str, Any]) -> str | None:
        """Return the attribute with the class."""
        if self.label:
            return self.label
        by_lower = {name.lower(): name for name in values}
        usual = next((by_lower[name] for name in _LABELS if name in by_lower), None)
        return usual or (next(iter(values)) if len(values) == 1 else None)


def _from_json(where: str, data: bytes) -> dict[str, dict[str, Any]]:
    document = parse_json(data, where)
    images = document.get("_via_img_metadata", document) if isinstance(document, dict) else {}
    valid = {
        key: image
        for key, image in images.items()
        if isinstance(image, dict) and "filename" in image and "regions" in image
    }
    if not valid:
        raise WrongFormat("no JSON of VIA: no entry has filename and regions")
    return valid


def _from_csv(where: str, data: bytes) -> dict[str, dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(decode_text(where, data)))
    columns = set(reader.fieldnames or ())
    name = next((c for c in _IMAGE_COLUMNS if c in columns), None)
    if name is None or not columns >= _CSV_COLUMNS:
        raise WrongFormat("no CSV of VIA: it has no column region_shape_attributes")
    images: dict[str, dict[str, Any]] = {}
    for row in reader:
        image = images.setdefault(str(row[name]), {"filename": row[name], "regions": []})
        image["file_attributes"] = _cell(row.get("file_attributes"))
        shape = _cell(row["region_shape_attributes"])
        if shape:
            attributes = _cell(row["region_attributes"])
            image["regions"].append(
                {"shape_attributes": shape, "region_attributes": attributes}
            )
    return images


def _cell(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"": "not JSON"}
    return value if isinstance(value, dict) else {}


def _bounds(shape: Mapping[str, Any]) -> Bounds:
    """Return the bounds of a shape.

    Raises:
        ValueError: it has another form.
    """
    if "all_points_x" in shape:
        return of_points(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    if "width" in shape:
        x, y, w, h = (float(shape[key]) for key in ("x", "y", "width", "height"))
        return of_rectangle(x, y, w, h)
    if "cx" not in shape:
        raise ValueError(f"the shape {shape.get('name')!r} is unknown")
    rx = float(shape.get("rx", shape.get("r", 0)))
    ry = float(shape.get("ry", shape.get("r", 0)))
    return of_ellipse(float(shape["cx"]), float(shape["cy"]), rx, ry)


def _plain(value: Any) -> Any:
    """Return the value of an attribute; checkboxes as the names that are set, by commas."""
    if isinstance(value, dict):
        return ",".join(sorted(str(name) for name, is_set in value.items() if is_set))
    return value
