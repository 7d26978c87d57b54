"""Thumbnails: small JPEGs of images or boxes, shrunk while they are decoded."""

from collections.abc import Sequence
from io import BytesIO

from likewise.imaging.decode import decode_small

SIDE = 256
"""Default of the longest edge in pixels."""

QUALITY = 80


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
    out = BytesIO()
    decode_small(data, side, box).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
