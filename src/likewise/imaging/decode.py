"""The pixels of an encoded image, always as RGB, and parts of them."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageFile

from likewise.imaging.probe import BadImage, load, open_image, translated

_WHITE = (255, 255, 255)
_ALPHA = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})

# Source: EXIF 2.32, section 4.6.4, tag 0x0112: what undoes each orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, upright: bool = False) -> Image.Image:
    """The first frame of an encoded image as RGB.

    Transparent pixels lie on white. Grey of 16 bits is scaled so that 65,535 becomes 255; whole
    numbers of 32 bits and floats, which have no white of their own, from their least value
    (black) to their greatest. ``upright`` turns the picture as its EXIF orientation asks, for
    showing it to people: boxes and models are of the stored pixels.

    Raises:
        BadImage: it is empty, no image, broken, cut short or too large.
    """
    image, orientation = open_image(data)
    load(image)
    with translated():
        rgb = _rgb(image)
        turn = _UPRIGHT.get(orientation) if upright else None
        return rgb if turn is None else rgb.transpose(turn)


def converted(data: bytes) -> Image.Image:
    """The first frame as ``Image.open(...).convert("RGB")`` has it, whatever it shows.

    What benchmarks' own scripts see: alpha is dropped, deep grey is clipped.

    Raises:
        BadImage: as of ``decode``.
    """
    image, _ = open_image(data)
    load(image)
    with translated():
        return image.convert("RGB")


def reduced(data: bytes, size: Callable[[int, int], tuple[int, int]]) -> Image.Image:
    """As ``decode``, but a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which is quick.

    ``size`` says of a width and height how large the picture is needed; it is no smaller.

    Raises:
        BadImage: as of ``decode``.
    """
    image, _ = open_image(data)
    if image.format == "JPEG":
        image.draft(None, size(*image.size))
    load(image)
    with translated():
        return _rgb(image)


def crop(image: Image.Image, box: Sequence[float]) -> Image.Image:
    """The pixels of ``image`` that ``box`` (x1, y1, x2, y2, half-open, in pixels) touches.

    What of the box lies outside the image is left out.

    Raises:
        BadImage: nothing of the box lies in the image.
    """
    if not all(map(math.isfinite, box)):
        raise BadImage("bad-box", f"{tuple(box)} is no box")
    x1, y1 = (max(0, math.floor(edge)) for edge in box[:2])
    x2 = min(image.width, math.ceil(box[2]))
    y2 = min(image.height, math.ceil(box[3]))
    if x1 >= x2 or y1 >= y2:
        raise BadImage(
            "bad-box", f"{tuple(box)} holds no pixel of {image.width} x {image.height}"
        )
    # Image.crop gives the same, but warns of decompression bombs where the part is large.
    return image.resize((x2 - x1, y2 - y1), Image.Resampling.NEAREST, box=(x1, y1, x2, y2))


def _rgb(image: ImageFile.ImageFile) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_grey16(image)
    if image.mode in ("I", "F"):
        return _from_numbers(image)
    if image.mode in _ALPHA or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, _WHITE)
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    # Of the same mode ``convert`` makes a copy: a third of the time of decoding.
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_grey16(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.uint32)
    grey = ((values * 255 + 32767) // 65535).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey).convert("RGB")


def _from_numbers(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise BadImage("unreadable", "none of its values is a number")
    low, high = values[finite].min(), values[finite].max()
    share = np.where(finite, (values - low) / ((high - low) or 1.0), 0.0)
    return Image.fromarray(np.rint(share * 255).astype(np.uint8)).convert("RGB")
