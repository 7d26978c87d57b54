"""Label Studio: tasks as JSON or JSON-MIN.

Source: https://labelstud.io/guide/export, "Label Studio JSON format of annotated tasks".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from likewise.errors import DamagedError
from likewise.formats.json_documents import parse_json
from likewise.sources.shape_bounds import Bounds, of_ellipse, of_points, of_rectangle
from likewise.sources.split_names import split_of
from likewise.sources.tool_source import (
    SHAPE_ERRORS,
    ToolEntries,
    ToolSource,
    WrongFormat,
    as_list,
)

_IMAGE_KEYS = ("image", "img", "url", "picture", "photo", "image_url")
_PERCENT = 100
_OF_TASK = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time")


class LabelStudioSource(ToolSource):
    """Label Studio: a JSON file with all tasks, and images anywhere.

    The image is the value ``image`` of a task's data, or the only value that is a path; option
    ``image`` names it. The bounds of a rectangle, polygon or ellipse become the box, in pixels.
    A choice is the label of its image, a text area its text. The first annotation of a task
    that was not cancelled counts.
    """

    expected: ClassVar[str] = "JSON or JSON-MIN of Label Studio, with tasks"

    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """See ``ToolSource.parse``."""
        try:
            tasks = parse_json(data, where)
        except DamagedError as error:
            raise WrongFormat(str(error)) from error
        is_list = isinstance(tasks, list) and tasks and all(isinstance(t, dict) for t in tasks)
        if not is_list or not any(self._image(task) for task in tasks):
            raise WrongFormat("no JSON of Label Studio: no list of tasks with an image")
        for number, task in enumerate(tasks, start=1):
            place = f"{where}: task {task.get('id', number)}"
            image = self._image(task)
            if image:
                self._add(place, image, task, entries)
            else:
                entries.fault(place, "it has no image; name its key by --option image=KEY")

    def _image(self, task: Mapping[str, Any]) -> str | None:
        """Return the name of a task's image."""
        data = task.get("data", task if "annotations" not in task else {})
        if not isinstance(data, dict):
            return None
        keys = (self.image,) if self.image else _IMAGE_KEYS
        reference = next((data[key] for key in keys if isinstance(data.get(key), str)), None)
        if reference or self.image:
            return reference
        paths = [v for v in data.values() if isinstance(v, str) and ("/" in v or "." in v)]
        return paths[0] if len(paths) == 1 and "data" in task else None

    def _add(
        self, place: str, image: str, task: Mapping[str, Any], entries: ToolEntries
    ) -> None:
        reading = _Task()
        for result in _results(place, task, entries):
            try:
                reading.take(result)
            except SHAPE_ERRORS as error:
                kind = result.get("type", "result")
                entries.fault(f"{place}, {kind}", f"it cannot be read: {error}")
        for more in reading.labels[1:]:
            entries.fault(
                f"{place}, choice {more}", f"its label is {reading.labels[0]} already"
            )
        data = task.get("data", {})
        split = data.get("split") if isinstance(data, dict) else None
        entries.add_image(
            place,
            image,
            reading.boxes,
            label=reading.labels[0] if reading.labels else None,
            text=reading.texts[0] if reading.texts else None,
            split=(split_of(split) or split) if isinstance(split, str) else None,
            size=reading.size,
        )


def _results(
    place: str, task: Mapping[str, Any], entries: ToolEntries
) -> Iterator[dict[str, Any]]:
    """Yield the results of a task: of its first annotation, or its values in JSON-MIN."""
    annotations = task.get("annotations", task.get("completions"))
    if isinstance(annotations, list):
        kept = [a for a in annotations if isinstance(a, dict) and not a.get("was_cancelled")]
        for more in kept[1:]:
            detail = "the task has another annotation before it, which counts"
            entries.faults.append((f"{place}, annotation {more.get('id')}", "twin", detail))
        if not kept and task.get("predictions"):
            entries.fault(place, "it has predictions only, which are not read")
        results = as_list(kept[0].get("result")) if kept else []
        yield from (r for r in results if isinstance(r, dict))
        return
    for key, value in task.items():
        if isinstance(value, list):
            yield from ({"value": v, **v} for v in value if isinstance(v, dict))
        elif key not in _OF_TASK and isinstance(value, dict) and "choices" in value:
            yield {"value": value}
        elif key in ("choice", "choices", "label") and isinstance(value, str):
            yield {"value": {"choices": [value]}}


@dataclass
class _Task:
    """Boxes, labels and texts of a task."""

    boxes: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    size: tuple[Any, Any] = (None, None)

    def take(self, result: Mapping[str, Any]) -> None:
        """Add a result.

        Raises:
            ValueError: its shape is of another kind.
        """
        value = result.get("value", {})
        if "choices" in value:
            self.labels += [str(choice) for choice in value["choices"]]
        elif "text" in value and "x" not in value:
            texts = value["text"]
            self.texts += texts if isinstance(texts, list) else [str(texts)]
        elif {"x", "points", "rle"} & set(value):
            self._take_shape(result, value)

    def _take_shape(self, result: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        width, height = result["original_width"], result["original_height"]
        self.size = (width, height)
        bounds = _bounds(value, width / _PERCENT, height / _PERCENT)
        label = next((_first(v) for k, v in value.items() if k.endswith("labels")), None)
        self.boxes.append({"box": bounds, "label": label})


def _first(labels: Any) -> str | None:
    several = isinstance(labels, Sequence) and not isinstance(labels, str)
    return str(labels[0]) if several and labels else None


def _bounds(value: Mapping[str, Any], sx: float, sy: float) -> Bounds:
    """Return the bounds of a shape in pixels; ``sx`` and ``sy`` are the pixels of a percent."""
    if "points" in value:
        return of_points((x * sx, y * sy) for x, y in value["points"])
    if "rle" in value:
        raise ValueError("masks of the brush are not read; export them as COCO")
    x, y = value["x"] * sx, value["y"] * sy
    if "radiusX" in value:
        return of_ellipse(x, y, value["radiusX"] * sx, value["radiusY"] * sy)
    if "width" not in value or "keypointlabels" in value:
        raise ValueError("a point has no area")
    w, h = value["width"] * sx, value["height"] * sy
    return of_rectangle(x, y, w, h, value.get("rotation") or 0)
