"""Decode images to RGB, and crop boxes."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from likewise.imaging.probe import BadImage, load_pixels, open_image, pillow_errors_as_bad_image

_WHITE = (255, 255, 255)
_ALPHA = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})

# Source: EXIF 2.32, section 4.6.4, tag 0x0112: the inverse of each orientation.
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
    """Decode the first frame of an image as RGB.

    Transparent pixels are composited on white. 16-bit grey is scaled so that 65,535 becomes
    255; 32-bit integers and floats are scaled from their minimum (black) to their maximum.

    Args:
        data: encoded image.
        upright: apply the EXIF orientation, for display. Boxes and models use stored pixels.

    Raises:
        BadImage: the file is empty, not an image, damaged, truncated or too large.
    """
    image, orientation = open_image(data)
    load_pixels(image)
    with pillow_errors_as_bad_image():
        rgb = as_rgb(image)
        return turn_upright(rgb, orientation) if upright else rgb


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return ``image`` as it is displayed, given its EXIF orientation (1 to 8)."""
    transpose = _UPRIGHT.get(orientation)
    return image if transpose is None else image.transpose(transpose)


def decode_like_pillow(data: bytes) -> Image.Image:
    """Decode the first frame like ``Image.open(...).convert("RGB")``.

    Scripts of benchmarks use these pixels: alpha is dropped, and 16-bit grey is clipped.

    Raises:
        BadImage: see ``decode``.
    """
    image, _ = open_image(data)
    load_pixels(image)
    with pillow_errors_as_bad_image():
        return image.convert("RGB")


def decode_reduced(
    data: bytes, needed_size: Callable[[int, int], tuple[int, int]]
) -> Image.Image:
    """Like ``decode``, but decode JPEG at 1/2, 1/4 or 1/8 of its size if that suffices.

    Args:
        data: encoded image.
        needed_size: minimum width and height for a given width and height of the image.

    Raises:
        BadImage: see ``decode``.
    """
    image, _ = open_image(data)
    if image.format == "JPEG":
        image.draft(None, needed_size(*image.size))
    load_pixels(image)
    with pillow_errors_as_bad_image():
        return as_rgb(image)


def decode_small(data: bytes, side: int, box: Sequence[float] | None = None) -> Image.Image:
    """Decode an image, or a ``box`` in it, upright and reduced to at most ``side`` pixels.

    JPEG is decoded at 1/2, 1/4 or 1/8 of its size, at least twice the size of the result.

    Args:
        data: encoded image.
        side: maximum width and height of the result in pixels.
        box: x1, y1, x2, y2 in pixels of the stored image, half-open.

    Raises:
        BadImage: see ``decode``; or the box does not intersect the image.
    """
    image, orientation = open_image(data)
    width, height = image.size
    shown = max(width, height) if box is None else max(box[2] - box[0], box[3] - box[1])
    if image.format == "JPEG" and shown > 2 * side:
        scale = 2 * side / shown
        image.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
    load_pixels(image)
    with pillow_errors_as_bad_image():
        small = as_rgb(image)
        if box is not None:
            x, y = image.width / width, image.height / height
            small = crop(small, (box[0] * x, box[1] * y, box[2] * x, box[3] * y))
        small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return turn_upright(small, orientation)


def crop(image: Image.Image, box: Sequence[float]) -> Image.Image:
    """Crop all pixels that ``box`` (x1, y1, x2, y2, half-open, in pixels) touches.

    Parts of the box outside the image are ignored.

    Raises:
        BadImage: the box does not intersect the image.
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
    # Image.crop returns the same, but warns about decompression bombs for large boxes.
    return image.resize((x2 - x1, y2 - y1), Image.Resampling.NEAREST, box=(x1, y1, x2, y2))


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert an opened image to RGB as ``decode`` does: transparent pixels become white."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_grey16(image)
    if image.mode in ("I", "F"):
        return _from_numbers(image)
    if image.mode in _ALPHA or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, _WHITE)
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    # For RGB ``convert`` would copy, which takes a third of the time of decoding.
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
