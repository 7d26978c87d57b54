"""Entries of COCO's JSON files: images, annotations, categories and licences."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import fields_pattern

_NOTHING = msgspec.Raw(b"null")
_CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/([0-9]\.[0-9])"
)
_CC_ZERO = "creativecommons.org/publicdomain/zero/1.0"


class CocoFile(msgspec.Struct):
    """A COCO file with undecoded entries."""

    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw] = []
    categories: list[msgspec.Raw] = []
    licenses: list[msgspec.Raw] | None = None


SECTIONS = fields_pattern("images", "annotations", "categories", "licenses")
"""Fields of a file that must not be repeated."""


class CocoImage(msgspec.Struct):
    """An image; ``license`` may name several licences."""

    id: int | str
    file_name: str | None = None
    coco_url: str | None = None
    flickr_url: str | None = None
    width: float | None = None
    height: float | None = None
    license: int | str | list[int | str] | None = None

    def reference(self) -> str | None:
        """Return the name of the image's file; without one, its address."""
        return self.file_name or self.coco_url or self.flickr_url

    def licence(self, names: dict[str, str | None]) -> str | None:
        """Return the names of the image's licences, by their ids in ``names``."""
        ids = self.license if isinstance(self.license, list) else [self.license]
        known = [name for key in ids if (name := names.get(str(key)))]
        return " AND ".join(dict.fromkeys(known)) or None


class CocoAnnotation(msgspec.Struct):
    """An annotation: a box, a segment, a class of the whole image, or a caption."""

    image_id: int | str
    category_id: int | str | None = None
    id: int | str | None = None
    bbox: list[float] | None = None
    segmentation: msgspec.Raw = _NOTHING
    caption: str | None = None
    attributes: msgspec.Raw = _NOTHING
    iscrowd: bool | int | None = None
    area: float | None = None

    def box(self) -> tuple[float | None, ...]:
        """Return x, y, width, height; by the segment if there is no box, else four nulls.

        Raises:
            ValueError: the box or segment has another form.
        """
        if self.bbox:
            if len(self.bbox) != 4:
                raise ValueError(f"its bbox has {counted(len(self.bbox), 'number')}, not 4")
            return tuple(self.bbox)
        try:
            segment = msgspec.json.decode(self.segmentation)
            bounds = segment_bounds(segment) if segment else None
        except (TypeError, KeyError, IndexError, ArithmeticError) as error:
            raise ValueError(f"its segmentation cannot be read: {error}") from error
        if bounds is None:
            return (None, None, None, None)
        return (bounds[0], bounds[1], bounds[2] - bounds[0], bounds[3] - bounds[1])

    def further(self) -> dict[str, Any]:
        """Return the attributes that tools such as CVAT add; empty if there are none."""
        values = msgspec.json.decode(self.attributes)
        return values if isinstance(values, dict) else {}


class CocoCategory(msgspec.Struct):
    """A class."""

    id: int | str
    name: str
    supercategory: str | None = None


class CocoLicence(msgspec.Struct):
    """A licence of images."""

    id: int | str
    name: str | None = None
    url: str | None = None

    def title(self) -> str | None:
        """Return the SPDX identifier of a Creative Commons URL; else name or URL."""
        lower = (self.url or "").lower()
        licence = _CREATIVE_COMMONS.search(lower)
        if licence:
            return f"CC-{licence[1].upper()}-{licence[2]}"
        return "CC0-1.0" if _CC_ZERO in lower else self.name or self.url


def segment_bounds(segment: Any) -> tuple[float, float, float, float] | None:
    """Return x1, y1, x2, y2 of polygons or of a run-length encoded mask; None if it is empty.

    Source of the encoding: the COCO API, maskApi.c (rleFrString, rleToBbox).
    """
    if isinstance(segment, dict):
        height = int(segment["size"][0])
        counts = segment["counts"]
        return _mask_bounds(counts if isinstance(counts, list) else _decompress(counts), height)
    rings = segment if isinstance(segment[0], list) else [segment]
    values = [float(value) for ring in rings for value in ring]
    if not values:
        return None
    xs, ys = values[::2], values[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _mask_bounds(
    counts: Sequence[int], height: int
) -> tuple[float, float, float, float] | None:
    """Return the bounds of runs of background and object, which go down the columns."""
    xs, ys, start = [], [], 0
    for number, count in enumerate(counts):
        if number % 2 and count > 0:
            first, last = start, start + count - 1
            xs += [first // height, last // height]
            whole_column = first // height != last // height
            ys += [0, height - 1] if whole_column else [first % height, last % height]
        start += count
    return (min(xs), min(ys), max(xs) + 1, max(ys) + 1) if xs else None


def _decompress(text: str) -> list[int]:
    """Return the runs of a compressed mask: 5 bits per character, differences to two before."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                value |= -1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts
