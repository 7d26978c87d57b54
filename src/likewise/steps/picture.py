"""Open a picture as models see it, within limits."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage, open_image
from likewise.retrieval.search_query import image_bytes

if TYPE_CHECKING:
    from PIL import Image


def picture(
    file: StrPath | bytes,
    *,
    formats: Collection[str] | None = None,
    most_pixels: int | None = None,
) -> "Image.Image":
    """Decode an image as models see it: RGB, as it is stored, without rotation by EXIF.

    The limits are checked before a pixel is decoded, so a picture of a stranger needs no more
    memory than ``most_pixels`` allow.

    Args:
        file: an image file, or its bytes.
        formats: accepted formats as Pillow names them, such as ``JPEG``; by default every
            format that data sets may have.
        most_pixels: maximum number of pixels; by default 178,956,970, as in data sets.

    Raises:
        DataError: the file cannot be read, is not an image of these formats, or is too large.

    Example:
        >>> likewise.picture("emoji/images/0_noto.jpg").size
        (160, 160)
        >>> likewise.picture(b"text")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        likewise.errors.DataError: the picture: not-an-image: it does not begin as any image ...
    """
    name = "the picture" if isinstance(file, bytes) else str(file)
    data = image_bytes(file)
    try:
        header, _ = open_image(data)
        _check(header, name, formats, most_pixels)
        return decode(data)
    except BadImage as bad:
        raise DataError(f"{name}: {bad}") from bad


def _check(
    header: "Image.Image", name: str, formats: Collection[str] | None, most: int | None
) -> None:
    if formats is not None and header.format not in formats:
        known = ", ".join(sorted(formats))
        raise DataError(f"{name} is {header.format}; give one of: {known}")
    pixels = header.width * header.height
    if most is not None and pixels > most:
        size = f"{header.width:,} x {header.height:,} pixels"
        raise DataError(f"{name} has {size}; at most {most:,} are decoded")
