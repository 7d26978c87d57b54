"""A search, or what a check flagged, as one static page of pictures.

The page holds its pictures; it needs no other file, no script and no network.
"""

import base64
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import jinja2
from PIL import Image, ImageOps

from likewise.imaging.decode import crop, decode
from likewise.imaging.probe import BadImage, open_image

SIDE = 256
"""The longer side of a thumbnail, in pixels, at most."""

_QUALITY = 85
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Tile:
    """A picture and what stands under it.

    Attributes:
        name: the item, or the file.
        picture: a thumbnail as ``thumbnail`` makes it; None shows an empty frame.
        label: its class, in words if there are any.
        score: how near it is to the query; None for the query itself.
        same: whether its class is the query's; None where that is not known.
    """

    name: str
    picture: str | None = None
    label: str | None = None
    score: float | None = None
    same: bool | None = None


@dataclass(frozen=True)
class Doubt:
    """One flag: the picture, beside it the one that it is too like, and what is said."""

    pictures: Sequence[Tile]
    detail: str


@dataclass(frozen=True)
class Section:
    """All of one flag: its name, how many there are, and those that are shown."""

    name: str
    total: int
    shown: Sequence[Doubt]


def thumbnail(picture: bytes | Image.Image, box: Sequence[float] | None = None) -> str | None:
    """A small JPEG of a picture, or of a ``box`` in it, as the text of a ``data:`` URL.

    Args:
        picture: an encoded image, which is turned upright, or a decoded one, which is not.
        box: x1, y1, x2, y2 in pixels of the image as it is stored, half-open.

    Returns:
        None where the image cannot be decoded.
    """
    try:
        image = picture if isinstance(picture, Image.Image) else _upright(picture, box)
    except BadImage:
        return None
    small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def sheet(title: str, query: Sequence[Tile], hits: Sequence[Tile], note: str = "") -> str:
    """The page: ``title`` and ``note``, the query as far as it is pictures, the hits."""
    return _template("sheet.html").render(title=title, query=query, hits=hits, note=note)


def flag_sheet(title: str, sections: Sequence[Section], note: str) -> str:
    """A page of what a check flagged: ``title`` and ``note``, and a section a flag."""
    return _template("flags.html").render(title=title, sections=sections, note=note)


def _upright(data: bytes, box: Sequence[float] | None) -> Image.Image:
    if box is None:
        return decode(data, upright=True)
    part = crop(decode(data), box)
    part.getexif()[_ORIENTATION] = open_image(data)[1]
    return ImageOps.exif_transpose(part)


@functools.cache
def _template(name: str) -> jinja2.Template:
    loader = jinja2.PackageLoader("likewise.pages", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name)
