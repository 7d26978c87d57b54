"""Static HTML pages of search results and flagged images.

Images are embedded; the pages need no other files, scripts or network.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from PIL import Image

from likewise.formats.progress_note import progress_bar
from likewise.imaging.decode import as_rgb, decode_small
from likewise.imaging.probe import BadImage
from likewise.pages.rendering import render

SIDE = 256
"""Maximum edge length of a thumbnail in pixels."""

_QUALITY = 85
_AT_ONCE = 16
"""Number of images whose bytes are in memory at once."""

SCORE = "similarity to the query (greater is nearer)"
"""Meaning of the score of a hit."""


class EncodedImages(Protocol):
    """Reads the bytes of images by their numbers; ``ImageReader`` does."""

    def encoded(self, numbers: Iterable[int]) -> list[bytes]:
        """Return some images in that order."""
        ...


@dataclass(frozen=True)
class Tile:
    """An image and its caption.

    Attributes:
        name: item id or file name.
        picture: thumbnail as returned by ``thumbnail``; None shows an empty frame.
        label: class, in words if available.
        score: similarity to the query; None for the query itself.
        same: True if its class is that of the query; None if unknown.
    """

    name: str
    picture: str | None = None
    label: str | None = None
    score: float | None = None
    same: bool | None = None


@dataclass(frozen=True)
class FlaggedItem:
    """One flagged item: its image, similar images if any, and the detail."""

    pictures: Sequence[Tile]
    detail: str


@dataclass(frozen=True)
class FlagSection:
    """All items with one flag: its name, their number, those that are shown, the meaning."""

    name: str
    total: int
    shown: Sequence[FlaggedItem]
    meaning: str = ""


def thumbnail(picture: bytes | Image.Image, box: Sequence[float] | None = None) -> str | None:
    """Return a small JPEG of an image, or of a ``box`` in it, as a ``data:`` URL.

    Args:
        picture: encoded image, whose EXIF orientation is applied, or decoded image.
        box: x1, y1, x2, y2 in pixels of the stored image, half-open.

    Returns:
        The URL; None if the image cannot be decoded.
    """
    try:
        if isinstance(picture, Image.Image):
            small = as_rgb(picture).copy()
            small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        else:
            small = decode_small(picture, SIDE, box)
    except BadImage:
        return None
    out = BytesIO()
    small.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def thumbnails(
    reader: EncodedImages, boxes: Sequence[Sequence[float] | None]
) -> list[str | None]:
    """Return the ``thumbnail`` of every image of a reader; few images are in memory at once.

    Args:
        reader: the images.
        boxes: the box of each image; None for the whole image.
    """
    made: list[str | None] = []
    with progress_bar(len(boxes), "read pictures") as bar:
        for start in range(0, len(boxes), _AT_ONCE):
            part = boxes[start : start + _AT_ONCE]
            images = reader.encoded(range(start, start + len(part)))
            for image, box in zip(images, part, strict=True):
                made.append(thumbnail(image, box))
                bar.update()
    return made


def search_page(
    title: str,
    query: Sequence[Tile],
    hits: Sequence[Tile],
    note: str = "",
    *,
    first_rank: int = 1,
) -> str:
    """Return a page with ``title``, ``note``, images of the query, and the hits in a row."""
    values = {"title": title, "query": query, "hits": hits, "note": note}
    return render("sheet.html", **values, first_rank=first_rank, score=SCORE)


def flags_page(title: str, sections: Sequence[FlagSection], note: str) -> str:
    """Return a page with ``title``, ``note``, and one section per flag."""
    return render("flags.html", title=title, sections=sections, note=note)
