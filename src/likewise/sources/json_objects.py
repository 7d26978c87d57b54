"""Annotations as JSON objects: one an image, with its boxes in it.

The grammar is docs/annotations.md; FISSP's JSON files and WebDataset's ``.json`` have it.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from likewise.sources.annotation_files import NOT_JSON
from likewise.sources.base import findings_frame
from likewise.sources.box_source import CORNERS, DataType, Gathered
from likewise.sources.table_rows import TEXTS

_ENTRY = ("path", *TEXTS, "width", "height", "boxes")
_BOX = ("box", "label", "text")
_COLUMNS: dict[str, DataType] = {
    **dict.fromkeys(("image", *TEXTS), pl.String),
    **dict.fromkeys((*CORNERS, "width", "height"), pl.Float64),
    ":where": pl.String,
    ":folder": pl.String,
    ":row": pl.Int64,
}
_MOST = 100
"""So many keys of its own a set of entries may have; each becomes a column."""

_NEAR = 0.75

Faults = list[tuple[str, str, str]]


class Entries:
    """Takes in entries, and gives them as rows of a table; see ``TableSource.assembled``."""

    def __init__(self) -> None:
        """Begin with none."""
        self.faults: Faults = []
        """(place, check, detail) of entries that are none, and of odd keys."""
        self._rows = Gathered(_COLUMNS)
        self._count = 0
        self._own: dict[str, Gathered] = {}
        self._seen: set[tuple[str, str]] = set()

    def read(self, where: str, data: bytes) -> None:
        """Take in a file: a JSON list, an object with "images", or an object a line."""
        folder = where[: where.rfind("/") + 1]
        try:
            for number, raw in _split(where, data):
                self._decode(f"{where}: {number}", raw, folder)
        except NOT_JSON as error:
            said = f"not a JSON list of entries: {error}"
            self.faults.append((where, "bad-annotation", said))

    def _decode(self, place: str, raw: msgspec.Raw | bytes, folder: str) -> None:
        try:
            entry = msgspec.json.decode(raw, type=dict[str, Any])
        except NOT_JSON as error:
            self.faults.append((place, "bad-annotation", str(error)))
            return
        image = entry.get("path")
        if isinstance(image, str) and image:
            self.add(place, entry, image, folder)
        else:
            self.faults.append((place, "bad-annotation", "it has no text 'path'"))

    def add(self, place: str, entry: Mapping[str, Any], image: str, folder: str = "") -> None:
        """Take in the ``entry`` that stands at ``place``, of an ``image`` near ``folder``."""
        wrong = _wrong(entry)
        if wrong:
            self.faults.append((place, "bad-annotation", wrong))
            return
        file = place.partition(": ")[0]
        texts = [_text(entry.get(name)) for name in TEXTS]
        size = [_number(entry.get("width")), _number(entry.get("height"))]
        end = (place, folder)
        boxes = entry.get("boxes") or ()
        if not boxes or texts[0] or texts[1]:
            self._add((image, *texts, None, None, None, None, *size, *end), file, entry, _ENTRY)
        for number, box in enumerate(boxes, start=1):
            said = [_text(box.get("label")) or texts[0], _text(box.get("text")) or texts[1]]
            corners = _corners(box.get("box"))
            row = (image, *said, *texts[2:], *corners, *size, f"{place}, box {number}", folder)
            self._add(row, file, {**entry, **box}, (*_ENTRY, *_BOX))

    def _add(
        self, row: Sequence[object], file: str, entry: Mapping[str, Any], known: Sequence[str]
    ) -> None:
        self._rows.add(*row, self._count)
        for key in entry.keys() - set(known):
            if key not in self._own:
                self._meet(file, key, known)
            if key in self._own and entry[key] is not None:
                self._own[key].add(self._count, _as_text(entry[key]))
        self._count += 1

    def _meet(self, file: str, key: str, known: Sequence[str]) -> None:
        """See a key for the first time; a further column, and perhaps misspelt."""
        place, seen = f"{file}: {key}", (file, key)
        if len(self._own) >= _MOST:
            if seen not in self._seen:
                self.faults.append((place, "odd-key", f"more than {_MOST} keys; it is dropped"))
                self._seen.add(seen)
            return
        self._own[key] = Gathered({":row": pl.Int64, "value": pl.String})
        near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=_NEAR)
        if near:
            self.faults.append((place, "odd-key", f"kept; did you mean {near[0]!r}?"))

    def frame(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """All rows, a column a key of their own (``further:KEY``); the faults as findings."""
        rows = self._rows.frame()
        for key in sorted(self._own):
            values = self._own[key].frame().rename({"value": f"further:{key}"})
            rows = rows.join(values, on=":row", how="left", maintain_order="left")
        return rows.drop(":row"), findings_frame(self.faults)


class _Images(msgspec.Struct):
    images: list[msgspec.Raw]


def _split(where: str, data: bytes) -> Iterator[tuple[str, msgspec.Raw | bytes]]:
    """The entries of a file as they stand, each with where in it that is."""
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


def _wrong(entry: Mapping[str, Any]) -> str:
    """Why an entry is none; "" where it is one."""
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
    """``value`` where it is a number that a column can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _corners(box: Any) -> list[float | None]:
    """Four corners; what is no number is None, and becomes a finding."""
    if not isinstance(box, list) or len(box) != len(CORNERS):
        # Not nothing, which would be a row without a box.
        return [float("nan")] * len(CORNERS)
    return [_number(value) if _number(value) is not None else float("nan") for value in box]


def _as_text(value: object) -> str:
    """A further value as text, of which the column's type is told later."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)
