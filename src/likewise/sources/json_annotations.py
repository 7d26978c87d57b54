"""Annotations as JSON objects, one per image with its boxes.

docs/annotations.md defines the grammar; FISSP's JSON files and WebDataset's ``.json`` use it.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from likewise.formats.json_documents import repeats_keys
from likewise.sources.annotation_files import JSON_ERRORS, REPEATED_KEY
from likewise.sources.base import findings_from_rows
from likewise.sources.box_source import CORNERS, DataType, RowBuffer
from likewise.sources.extra_columns import PREFIX
from likewise.sources.table_rows import TEXTS

_IMAGE_KEYS = ("path", *TEXTS, "width", "height", "boxes")
_BOX_KEYS = ("box", "label", "text")
_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("image", *TEXTS), pl.String),
    **dict.fromkeys((*CORNERS, "width", "height"), pl.Float64),
    ":where": pl.String,
    ":folder": pl.String,
    ":row": pl.Int64,
}
_MAX_EXTRA_KEYS = 100
"""Maximum number of unknown keys in a data set; each becomes a column."""

_SIMILARITY = 0.75

FindingRows = list[tuple[str, str, str]]
"""``(path, check, detail)`` tuples; see ``findings_from_rows``."""


class JsonAnnotations:
    """Collects annotation objects as rows for ``TableSource.build_result``.

    Attributes:
        faults: finding rows about invalid objects and unexpected keys.
    """

    def __init__(self) -> None:
        """Start without rows."""
        self.faults: FindingRows = []
        self._rows = RowBuffer(_COLUMNS)
        self._count = 0
        self._extra: dict[str, RowBuffer] = {}
        self._reported: set[tuple[str, str]] = set()

    def read(self, where: str, data: bytes) -> None:
        """Add the objects of a file: a JSON list, an object with "images", or JSON lines."""
        folder = where[: where.rfind("/") + 1]
        try:
            for position, raw in _split(where, data):
                self._decode(f"{where}: {position}", raw, folder)
        except JSON_ERRORS as error:
            detail = f"not a JSON list of entries: {error}"
            self.faults.append((where, "bad-annotation", detail))

    def _decode(self, place: str, raw: msgspec.Raw | bytes, folder: str) -> None:
        try:
            entry = msgspec.json.decode(raw, type=dict[str, Any])
        except JSON_ERRORS as error:
            self.faults.append((place, "bad-annotation", str(error)))
            return
        if repeats_keys(bytes(raw), entry):
            self.faults.append((place, "bad-annotation", REPEATED_KEY))
            return
        image = entry.get("path")
        if isinstance(image, str) and image:
            self.add(place, entry, image, folder)
        else:
            self.faults.append((place, "bad-annotation", "it has no text 'path'"))

    def add(self, place: str, entry: Mapping[str, Any], image: str, folder: str = "") -> None:
        """Add one object.

        Args:
            place: location of the object, for messages.
            entry: the decoded object.
            image: name of its image.
            folder: folder that ``image`` may be relative to.
        """
        problem = _problem(entry)
        if problem:
            self.faults.append((place, "bad-annotation", problem))
            return
        file = place.partition(": ")[0]
        texts = [_text(entry.get(name)) for name in TEXTS]
        size = [_number(entry.get("width")), _number(entry.get("height"))]
        location = (place, folder)
        boxes = entry.get("boxes") or ()
        if not boxes or texts[0] or texts[1]:
            no_box = (None, None, None, None)
            self._add((image, *texts, *no_box, *size, *location), file, entry, _IMAGE_KEYS)
        for number, box in enumerate(boxes, start=1):
            label = _text(box.get("label")) or texts[0]
            text = _text(box.get("text")) or texts[1]
            corners = _corners(box.get("box"))
            location = (f"{place}, box {number}", folder)
            row = (image, label, text, *texts[2:], *corners, *size, *location)
            self._add(row, file, {**entry, **box}, (*_IMAGE_KEYS, *_BOX_KEYS))

    def _add(
        self, row: Sequence[object], file: str, entry: Mapping[str, Any], known: Sequence[str]
    ) -> None:
        self._rows.add(*row, self._count)
        for key in entry.keys() - set(known):
            if key not in self._extra:
                self._register(file, key, known)
            if key in self._extra and entry[key] is not None:
                self._extra[key].add(self._count, _as_text(entry[key]))
        self._count += 1

    def _register(self, file: str, key: str, known: Sequence[str]) -> None:
        """Add an extra column for a new key, and report the key if it may be a misspelling."""
        place = f"{file}: {key}"
        if len(self._extra) >= _MAX_EXTRA_KEYS:
            if (file, key) not in self._reported:
                detail = f"more than {_MAX_EXTRA_KEYS} keys; it is dropped"
                self.faults.append((place, "odd-key", detail))
                self._reported.add((file, key))
            return
        self._extra[key] = RowBuffer({":row": pl.Int64, "value": pl.String})
        similar = difflib.get_close_matches(key.lower(), known, n=1, cutoff=_SIMILARITY)
        if similar:
            self.faults.append((place, "odd-key", f"kept; did you mean {similar[0]!r}?"))

    def frame(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return all rows, with one extra column per unknown key; and the findings."""
        rows = self._rows.frame()
        for key in sorted(self._extra):
            values = self._extra[key].frame().rename({"value": f"{PREFIX}{key}"})
            rows = rows.join(values, on=":row", how="left", maintain_order="left")
        return rows.drop(":row"), findings_from_rows(self.faults)


class _Images(msgspec.Struct):
    images: list[msgspec.Raw]


def _split(where: str, data: bytes) -> Iterator[tuple[str, msgspec.Raw | bytes]]:
    """Yield the undecoded objects of a file, each with its position in the file."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not where.lower().endswith(".json"):
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                yield f"line {number:,}", line
        return
    if data.lstrip().startswith(b"{"):
        entries = msgspec.json.decode(data, type=_Images).images
    else:
        entries = msgspec.json.decode(data, type=list[msgspec.Raw])
    for number, raw in enumerate(entries, start=1):
        yield f"entry {number:,}", raw


def _problem(entry: Mapping[str, Any]) -> str:
    """Return what is wrong with an object; "" if it is valid."""
    for name in TEXTS:
        if isinstance(entry.get(name), dict | list | float):
            return f"its {name!r} is no text"
    for name in ("width", "height"):
        if not isinstance(entry.get(name), int | float | None):
            return f"its {name!r} is no number"
    boxes = entry.get("boxes")
    if boxes is not None and not (
        isinstance(boxes, list) and all(isinstance(box, dict) for box in boxes)
    ):
        return "its 'boxes' is no list of objects"
    for box in boxes or ():
        if any(isinstance(box.get(name), dict | list | float) for name in ("label", "text")):
            return "the 'label' of a box is no text"
    return ""


def _text(value: str | int | None) -> str | None:
    return None if value is None or value == "" else str(value)


def _number(value: Any) -> float | None:
    """Return ``value`` as a float; None if it is not a number or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _corners(box: Any) -> list[float | None]:
    """Return four corners; NaN marks invalid ones, which become a finding."""
    if not isinstance(box, list) or len(box) != len(CORNERS):
        # Null would mean a row without a box.
        return [float("nan")] * len(CORNERS)
    return [_number(value) if _number(value) is not None else float("nan") for value in box]


def _as_text(value: object) -> str:
    """Return an extra value as text; ``type_extra_columns`` infers its type later."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)
