"""Hugging Face image folder: images with metadata.csv or metadata.jsonl next to them.

Source: https://huggingface.co/docs/datasets/image_dataset, "ImageFolder".
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from likewise.sources.annotation_files import JSON_ERRORS, decode_text
from likewise.sources.split_names import split_of
from likewise.sources.tool_source import (
    SHAPE_ERRORS,
    ToolEntries,
    ToolSource,
    WrongFormat,
    free_keys,
)

_BOX_FIELDS = ("bbox", "bboxes", "box")
_CLASS_FIELDS = ("categories", "category", "labels", "label", "category_name", "class")
_TEXTS = ("text", "caption", "description")
_LABELS = ("label", "class", "category")
_IMAGE_FOLDERS = ("", ".", "..", "images", "image", "imgs", "img", "data", "photos")
"""Folders of images that are not labels, in lower case."""


class ImageFolderSource(ToolSource):
    """Hugging Face's image folder: ``train/metadata.jsonl`` (or ``.csv``) and its images.

    ``file_name`` is relative to the folder of the metadata. ``label`` and ``text`` are those of
    the image; without a column, the label is the folder in ``file_name``; ``objects`` with
    ``bbox`` and ``categories`` are its boxes. Everything else is a column. The split is a
    folder, such as ``train``.
    """

    suffixes: ClassVar[str] = r"(\A|/)metadata\.(jsonl|csv)\z"
    expected: ClassVar[str] = "metadata.csv or metadata.jsonl, with file_name"

    bbox: Literal["xywh", "xyxy"] = "xywh"
    """Format of boxes in ``objects``: x, y, width, height, or corners; in pixels from 0."""

    def parse(self, where: str, data: bytes, entries: ToolEntries) -> None:
        """See ``ToolSource.parse``."""
        is_table = where.lower().endswith(".csv")
        rows = list(_csv_rows(where, data) if is_table else _json_rows(where, data, entries))
        if not any(self._file_name(row) for _, row in rows):
            raise WrongFormat("no metadata of an image folder: it has no file_name")
        for place, row in rows:
            name = self._file_name(row)
            if name is None:
                entries.fault(place, "it has no file_name")
                continue
            try:
                self._add(place, name, row, entries)
            except SHAPE_ERRORS as error:
                entries.fault(place, f"its objects cannot be read: {error}")

    def _add(self, place: str, name: str, row: Mapping[str, Any], entries: ToolEntries) -> None:
        label_key = self.label or next((k for k in _LABELS if _is_text(row.get(k))), "")
        text_key = self.text or next((k for k in _TEXTS if _is_text(row.get(k))), "")
        own = {self._key(row), "objects", label_key, text_key, "split"}
        extra = {k: v for k, v in row.items() if k not in own}
        label, text = row.get(label_key), row.get(text_key)
        if not label_key and not {*_LABELS} & set(row):
            label = _label_of_folders(name)
        entries.add_image(
            place,
            name,
            list(self._boxes(row.get("objects"))),
            label=None if label in (None, "") else str(label),
            text=None if text in (None, "") else str(text),
            split=row.get("split") or None,
            extra=extra,
        )

    def _key(self, row: Mapping[str, Any]) -> str:
        """Return the column of image names: ``file_name``, or the first ``..._file_name``."""
        if self.image or "file_name" in row:
            return self.image or "file_name"
        return next((key for key in row if key.endswith("_file_name")), "file_name")

    def _file_name(self, row: Mapping[str, Any]) -> str | None:
        name = row.get(self._key(row))
        return name if isinstance(name, str) and name else None

    def _boxes(self, objects: Any) -> Iterator[dict[str, Any]]:
        """Yield the boxes of a row: a struct of lists, or a list of structs."""
        if isinstance(objects, str):
            objects = json.loads(objects) if objects.strip() else None
        if isinstance(objects, dict):
            lists = {k: v for k, v in objects.items() if isinstance(v, list)}
            if len({len(v) for v in lists.values()}) > 1:
                raise ValueError("its lists are not of one length")
            objects = [
                dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)
            ]
        for row in objects or []:
            field = next(name for name in (*_BOX_FIELDS, "") if name in row or not name)
            a, b, c, d = (float(n) for n in row[field])
            corners = [a, b, c, d] if self.bbox == "xyxy" else [a, b, a + c, b + d]
            kind = next((k for k in _CLASS_FIELDS if k in row), "")
            label = row.get(kind)
            further = {k: v for k, v in row.items() if k not in (field, kind)}
            yield {
                **free_keys(further),
                "box": corners,
                "label": None if label is None else str(label),
            }


def _label_of_folders(name: str) -> str:
    """Return the folders of an image without those that are splits or only hold images."""
    folders = name.replace("\\", "/").split("/")[:-1]
    kept = [f for f in folders if f.lower() not in _IMAGE_FOLDERS and not split_of(f)]
    return "/".join(kept)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int) and value != ""


def _csv_rows(where: str, data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(decode_text(where, data), newline=""))
    for row in reader:
        yield f"{where}: line {reader.line_num:,}", {k: v for k, v in row.items() if k}


def _json_rows(
    where: str, data: bytes, entries: ToolEntries
) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines, start=1):
        place = f"{where}: line {number:,}"
        if not line.strip():
            continue
        try:
            yield place, msgspec.json.decode(line, type=dict[str, Any])
        except JSON_ERRORS as error:
            entries.fault(place, f"no JSON object: {error}")
