"""Fit an image into a square, with bars.

Source of the original behaviour: ``changeImageShape`` of the CompCars image-retrieval system
(its description and output).
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import Field

from likewise.formats.array_types import Int64Array, Pixels, UInt16Array
from likewise.imaging.transforms.base import Placement, Transform

_BLUR_RADIUS = 3
_BLUR_WIDTH = 2 * _BLUR_RADIUS + 1
"""The blur uses three pixels on each side: a window of 7 x 7."""


class Letterbox(Transform):
    """Scale the image so that its longer edge is ``side``, and centre it in a square.

    The bars are the adjacent strips of the image, blurred by a 7 x 7 mean (equal to a 7 x 7
    Gaussian with sigma 1000, to five decimals), or black or white.
    """

    side: int = Field(default=224, gt=0)
    """Edge length of the square in pixels."""

    fill: Literal["gaussian", "black", "white"] = "gaussian"
    """Fill of the bars."""

    original_bugs: bool = False
    """Reproduce the original program: no antialiasing, white is 225, a black line next to odd
    edges. Beyond 3:1 the blurred image is drawn once on each side, up to a black line and over
    the last lines of the image; the rest is black."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        return Image.fromarray(self.pixels(picture))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of the scaled image in pixels.

        The shorter edge is rounded to the nearest integer, ties to even.
        """
        longer = max(width, height)
        scaled = (max(1, round(edge * self.side / longer)) for edge in (width, height))
        return next(scaled), next(scaled)

    def place(self, width: int, height: int) -> Placement:
        """See ``Transform.place``."""
        w, h = self.size(width, height)
        return Placement(
            self.side, self.side, w / width, h / height, self._start(w), self._start(h)
        )

    def _start(self, edge: int) -> int:
        """Return where a scaled edge begins in the square."""
        if self.original_bugs:
            return 0 if edge + 1 >= self.side else self.side - (self.side - edge) // 2 - edge
        return (self.side - edge) // 2

    def pixels(self, picture: Image.Image) -> Pixels:
        """Return the square: uint8 (side, side, 3)."""
        square = np.empty((self.side, self.side, 3), np.uint8)
        self.draw(picture, square)
        return square

    def draw(self, picture: Image.Image, square: Pixels) -> None:
        """Fill ``square`` (side, side, 3), which may be a view with another axis order."""
        size = self.size(*picture.size)
        if self.original_bugs:
            inside = np.asarray(_resize_without_antialiasing(picture, size))
        elif size == picture.size:
            inside = np.asarray(picture)
        else:
            inside = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        is_portrait = size[0] < size[1]
        upright = square
        if is_portrait:
            inside, square = inside.transpose(1, 0, 2), square.transpose(1, 0, 2)
        if self.original_bugs:
            self._with_bugs(inside, square, upright)
        else:
            self._with_bars(inside, square)

    def _with_bars(self, inside: Pixels, square: Pixels) -> None:
        """Draw ``inside`` (short, side, 3) with bars above and below."""
        short = len(inside)
        above = (self.side - short) // 2
        below = self.side - short - above
        square[above : above + short] = inside
        if self.fill != "gaussian":
            square[:above] = square[above + short :] = 255 if self.fill == "white" else 0
        elif below <= short:
            square[:above] = _box_blur(inside[:above])
            square[above + short :] = _box_blur(inside[short - below :])
        else:  # repeat the image outwards
            blurred = _box_blur(inside)
            rows = np.arange(below)
            square[:above] = blurred[(rows[:above] - above) % short]
            square[above + short :] = blurred[rows % short]

    def _with_bugs(self, inside: Pixels, square: Pixels, upright: Pixels) -> None:
        """Draw as the original; ``upright`` is ``square`` in the orientation of the image."""
        short = len(inside)
        square[:] = 0
        if short + 1 >= self.side:
            square[:short] = inside
            return
        bar = (self.side - short) // 2
        start = self.side - bar - short  # one row lower than the bar if the difference is odd
        square[start : start + short] = inside
        if bar > short:
            # Once on each side, for any fill. The row, also of an upright image, tells the
            # original whether the image starts there.
            first = bar - 1 if upright[bar].any() else bar
            blurred = _box_blur(inside)
            square[first - short : first] = blurred
            square[first + short : first + 2 * short] = blurred
        elif self.fill == "gaussian":
            square[:bar] = _box_blur(inside[:bar])
            square[self.side - bar :] = _box_blur(inside[short - bar :])
        elif self.fill == "white":
            square[:bar] = square[self.side - bar :] = 225


def _resize_without_antialiasing(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize by interpolating four neighbours per pixel, regardless of the scale."""
    scale_x, scale_y = picture.width / size[0], picture.height / size[1]
    return picture.transform(
        size,
        Image.Transform.AFFINE,
        (scale_x, 0, 0, 0, scale_y, 0),
        Image.Resampling.BILINEAR,
    )


def _box_blur(strip: Pixels) -> Pixels:
    """Return the 7 x 7 mean of each pixel of ``strip`` (h, w, bands), with mirrored borders.

    Means of rows are rounded before those of columns, as in Pillow's ``BoxBlur(3)``.
    """
    height, width, bands = strip.shape
    if not height:
        return strip
    columns = _mirror_indices(width)
    padded = np.empty((height, width + 2 * _BLUR_RADIUS, bands), np.uint16)
    padded[:, _BLUR_RADIUS:-_BLUR_RADIUS] = strip
    padded[:, :_BLUR_RADIUS] = strip[:, columns[:_BLUR_RADIUS]]
    padded[:, -_BLUR_RADIUS:] = strip[:, columns[-_BLUR_RADIUS:]]
    row_means = _means(padded.reshape(height, -1).T, bands)
    means = _means(row_means.T[_mirror_indices(height)], 1)
    return means.astype(np.uint8).reshape(strip.shape)


def _means(values: UInt16Array, step: int) -> UInt16Array:
    """Return rounded means of 7 rows that are ``step`` apart; 6 * step fewer rows."""
    twos = values[:-step] + values[step:]
    fours = twos[: -2 * step] + twos[2 * step :]
    sums: UInt16Array = fours[: -3 * step] + twos[4 * step : -step]
    sums += values[6 * step :]
    sums += _BLUR_WIDTH // 2
    sums //= _BLUR_WIDTH
    return sums


@lru_cache
def _mirror_indices(length: int) -> Int64Array:
    """Return indices 0 to ``length`` - 1 with three more at each end, mirrored at the edge."""
    return np.pad(np.arange(length), _BLUR_RADIUS, mode="reflect")
