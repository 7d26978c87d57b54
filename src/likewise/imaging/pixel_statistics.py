"""Image quality measures, and a perceptual hash that is robust to resizing."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from likewise.formats.array_types import Float64Array, GreyPixels, Int16Array, Int64Array
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage

VERSION = "1"
"""Version of these algorithms; changing it recomputes the statistics of all images."""

WORDS = 16
"""Number of 16-bit words in a hash; see ``likewise.imaging.near_duplicates``."""

_THUMBNAIL_SIDE = 32
_FREQUENCIES = 16
_STRIP_PIXELS = 1 << 20
"""Number of pixels whose second derivatives are in memory at a time."""

_SCALE = 4096
# A cosine (u, v) of amplitude a contributes a * 32 * 32 / 4. JPEG and resizing add amplitudes
# below 0.4 of 255 grey levels, which would determine half of the bits of uniform images.
_MIN_AMPLITUDE = 4 * 1024 * _SCALE**2 // 40


def _cosines() -> Float64Array:
    """Return the DCT-II's cosines as integers (16, 32), so that sums are exact everywhere."""
    frequency, place = np.arange(_FREQUENCIES)[:, None], np.arange(_THUMBNAIL_SIDE)[None]
    angles = np.pi * (2 * place + 1) * frequency / (2 * _THUMBNAIL_SIDE)
    integers: Float64Array = np.rint(_SCALE * np.cos(angles))
    return integers


def _word_order() -> Int64Array:
    """Return the order of coefficients in a hash: (256,) int64.

    Coefficients sorted by frequency are distributed round-robin to the words, so each word
    contains low frequencies, in which images differ most.
    """
    u, v = np.divmod(np.arange(_FREQUENCIES**2), _FREQUENCIES)
    order = np.lexsort((u, u * u + v * v))
    indices: Int64Array = order.reshape(-1, WORDS).T.ravel()
    return indices


_COSINES = _cosines()
_ORDER = _word_order()


@dataclass(frozen=True, slots=True)
class PixelStatistics:
    """Statistics of an image, or the reason why it cannot be decoded.

    Attributes:
        brightness: mean grey value, 0 (black) to 1 (white).
        sharpness: variance of the Laplacian of the grey values; low for blurred images.
        phash: 64 hexadecimal digits; see ``perceptual_hash``.
        fault: error of the decoder; all other values are None in this case.
    """

    brightness: float | None = None
    sharpness: float | None = None
    phash: str | None = None
    fault: str | None = None


def measure(data: bytes) -> PixelStatistics:
    """Compute the statistics of an image's first frame, with transparency on white."""
    try:
        picture = decode(data).convert("L")
    except BadImage as bad:
        return PixelStatistics(fault=str(bad))
    grey = np.asarray(picture)
    return PixelStatistics(brightness(grey), sharpness(grey), perceptual_hash(picture))


def brightness(grey: GreyPixels) -> float:
    """Return the mean of ``grey`` (h, w), 0 to 1.

    Source: FISSP, ``prepare_dataset.py``: ``check_image_quality``.
    """
    return int(grey.sum(dtype=np.int64)) / (255 * grey.size)


def sharpness(grey: GreyPixels) -> float:
    """Return the variance of the Laplacian of ``grey`` (h, w), computed with integers.

    The kernel is 0 1 0 / 1 -4 1 / 0 1 0; borders are mirrored without repeating the edge, as in
    OpenCV's ``Laplacian(grey, CV_64F).var()``.

    Source: FISSP, ``check_image_quality``; Pech-Pacheco et al., ICPR 2000.
    """
    total = squares = 0
    for part in _laplacian(grey):
        # Integer sums are exact in any order up to 2^53; einsum does not start threads.
        values = part.ravel().astype(np.float64)
        total += int(values.sum())
        squares += int(np.einsum("i,i->", values, values))
    mean = total / grey.size
    return max(squares / grey.size - mean * mean, 0.0)


def perceptual_hash(picture: Image.Image) -> str:
    """Return a hash of 256 bits of the grey ``picture``, as 64 hexadecimal digits.

    A bit is 1 if a DCT coefficient of the image at 32 x 32 pixels exceeds a small amplitude,
    for the 16 x 16 lowest frequencies except the constant. Based on the pHash of Zauner,
    "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1,
    which uses 8 x 8 coefficients and their median; with 64 bits, different photographs collide
    too often.
    """
    small = picture.resize((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    values = np.asarray(small).astype(np.float64)
    amplitudes = (_COSINES @ values @ _COSINES.T).ravel()
    amplitudes[0] = 0
    return np.packbits(amplitudes[_ORDER] > _MIN_AMPLITUDE).tobytes().hex()


def _laplacian(grey: GreyPixels) -> Iterator[Int16Array]:
    """Yield second derivatives of ``grey`` as integers, in strips of rows."""
    height, width = grey.shape
    rows, columns = _mirror_indices(height), _mirror_indices(width)
    step = max(1, _STRIP_PIXELS // width)
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


def _mirror_indices(length: int) -> Int64Array:
    """Return indices 0 to ``length`` - 1 with one more at each end, mirrored at the edge."""
    return np.pad(np.arange(length), 1, mode="reflect" if length > 1 else "edge")
