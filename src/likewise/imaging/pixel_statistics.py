"""What the pixels of an image tell of its quality, and a hash that resizing hardly changes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from likewise.formats.array_types import Float64Array, GreyPixels, Int16Array, Int64Array
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage

VERSION = "1"
"""Of all that is computed here: another value computes every image anew."""

WORDS = 16
"""Number of 16-bit words in a hash; ``likewise.imaging.near_duplicates`` compares words."""

_SIDE = 32
_FREQUENCIES = 16
_STRIP = 1 << 20
"""Pixels whose second derivatives are in memory at a time."""

_SCALE = 4096
# An amplitude a of the cosine (u, v) is a sum of a * 32 * 32 / 4 over the pixels. Below 0.4 of
# 255 grey levels lies what JPEG and resizing add: it would decide half of a flat image's bits.
_LEAST = 4 * 1024 * _SCALE**2 // 40


def _cosines() -> Float64Array:
    """(16, 32) the DCT-II's cosines in whole numbers: sums are then exact on every machine."""
    frequency, place = np.arange(_FREQUENCIES)[:, None], np.arange(_SIDE)[None]
    angles = np.pi * (2 * place + 1) * frequency / (2 * _SIDE)
    whole: Float64Array = np.rint(_SCALE * np.cos(angles))
    return whole


def _dealt() -> Int64Array:
    """(256,) the coefficients by frequency, dealt to the words like cards, one each in turn.

    Every word then holds low frequencies, in which pictures differ most.
    """
    u, v = np.divmod(np.arange(_FREQUENCIES**2), _FREQUENCIES)
    order = np.lexsort((u, u * u + v * v))
    dealt: Int64Array = order.reshape(-1, WORDS).T.ravel()
    return dealt


_COSINES = _cosines()
_ORDER = _dealt()


@dataclass(frozen=True, slots=True)
class Pixels:
    """The measures of a picture, or why it cannot be decoded.

    Attributes:
        brightness: mean grey value, 0 (black) to 1 (white).
        sharpness: variance of the Laplacian of the grey values; blurred pictures have little.
        phash: 64 hexadecimal digits; see ``perceptual_hash``.
        fault: what the decoder said; the rest is None then.
    """

    brightness: float | None = None
    sharpness: float | None = None
    phash: str | None = None
    fault: str | None = None


def measure(data: bytes) -> Pixels:
    """The measures of an encoded image; of its first frame, transparent pixels on white."""
    try:
        picture = decode(data).convert("L")
    except BadImage as bad:
        return Pixels(fault=str(bad))
    grey = np.asarray(picture)
    return Pixels(brightness(grey), sharpness(grey), perceptual_hash(picture))


def brightness(grey: GreyPixels) -> float:
    """The mean of ``grey`` (h, w), 0 to 1.

    Source: FISSP, ``prepare_dataset.py``: ``check_image_quality``.
    """
    return int(grey.sum(dtype=np.int64)) / (255 * grey.size)


def sharpness(grey: GreyPixels) -> float:
    """The variance of the Laplacian of ``grey`` (h, w), computed in whole numbers.

    The kernel is 0 1 0 / 1 -4 1 / 0 1 0, and the border mirrors without repeating the edge:
    OpenCV's ``Laplacian(grey, CV_64F).var()``.

    Source: FISSP, ``check_image_quality``; Pech-Pacheco et al., ICPR 2000.
    """
    total = squares = 0
    for part in _laplacian(grey):
        # Sums of whole numbers are exact in any order, up to 2^53; einsum starts no threads.
        values = part.ravel().astype(np.float64)
        total += int(values.sum())
        squares += int(np.einsum("i,i->", values, values))
    mean = total / grey.size
    return max(squares / grey.size - mean * mean, 0.0)


def perceptual_hash(picture: Image.Image) -> str:
    """256 bits that say which cosines a grey ``picture`` of 32 x 32 holds, as 64 digits.

    A bit is 1 where the coefficient of the DCT exceeds a small amplitude, for the 16 x 16
    lowest frequencies but the constant. After the pHash of Zauner, "Implementation and
    Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1, which has 8 x 8 of
    them and compares with their median: of 64 bits, unlike photographs share too many.
    """
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    values = np.asarray(small).astype(np.float64)
    amplitudes = (_COSINES @ values @ _COSINES.T).ravel()
    amplitudes[0] = 0
    return np.packbits(amplitudes[_ORDER] > _LEAST).tobytes().hex()


def _laplacian(grey: GreyPixels) -> Iterator[Int16Array]:
    """Second derivatives of ``grey`` in whole numbers, some rows at a time."""
    height, width = grey.shape
    rows, columns = _mirrored(height), _mirrored(width)
    step = max(1, _STRIP // width)
    for top in range(0, height, step):
        near = rows[top : min(top + step, height) + 2]
        part = np.empty((len(near), width + 2), np.int16)
        part[:, 1:-1] = grey[near]
        part[:, [0, -1]] = grey[near][:, columns[[0, -1]]]
        second = part[:-2, 1:-1] + part[2:, 1:-1]
        second += part[1:-1, :-2]
        second += part[1:-1, 2:]
        second -= 4 * part[1:-1, 1:-1]
        yield second


def _mirrored(length: int) -> Int64Array:
    """0 to ``length`` - 1 with one more at each end, mirrored at the edge."""
    return np.pad(np.arange(length), 1, mode="reflect" if length > 1 else "edge")
