"""Thumbnails: small JPEGs of images or boxes, shrunk while they are decoded."""

import math
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from likewise.imaging.decode import crop, decode, decode_reduced, turn_upright
from likewise.imaging.probe import open_image

SIDE = 256
"""Default of the longest edge in pixels."""

QUALITY = 80

_GAP = 2.0
"""The decoder and a box filter shrink to this multiple of the size; Lanczos does the rest."""


def make_thumbnail(data: bytes, side: int = SIDE, box: Sequence[float] | None = None) -> bytes:
    """Return a JPEG of an image, or of a ``box`` in it, with edges of at most ``side`` pixels.

    The EXIF orientation is applied. Photographs take a fifth of the time of decoding them
    completely.

    Args:
        data: encoded image.
        side: maximum edge length in pixels; smaller images keep their size.
        box: x1, y1, x2, y2 in pixels of the stored image, half-open.

    Raises:
        BadImage: the image cannot be decoded, or the box does not intersect it.
    """

    def needed(width: int, height: int) -> tuple[int, int]:
        factor = min(1.0, _GAP * side / max(width, height))
        return math.ceil(width * factor), math.ceil(height * factor)

    whole = box is None
    image = decode_reduced(data, needed) if whole else crop(decode(data), box or ())
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=_GAP)
    out = BytesIO()
    turn_upright(image, open_image(data)[1]).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
