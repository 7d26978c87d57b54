"""A whole picture in a square, with bars.

Source of the original behaviour: ``changeImageShape`` of the CompCars image-retrieval system,
as described, and as seen in its output.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import Field

from likewise.formats.array_types import Int64Array, Pixels, UInt16Array
from likewise.imaging.transforms.base import Transform

_REACH = 3
_WINDOW = 2 * _REACH + 1
"""The blur looks three pixels to each side: a window of 7 x 7."""


class Letterbox(Transform):
    """The picture scaled until its longer edge is ``side``, in the middle of a square.

    The bars beside it are the strips of the picture next to them, blurred by a mean of 7 x 7
    (what a Gaussian of 7 x 7 with sigma 1000 is, to five decimals), or are black or white.
    """

    side: int = Field(default=224, gt=0)
    """Pixels of the square's edges."""

    fill: Literal["gaussian", "black", "white"] = "gaussian"
    """What the bars are."""

    original_bugs: bool = False
    """As the original program has it: no antialiasing, white of 225, a black line beside an odd
    edge, black beyond one picture's width."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        return Image.fromarray(self.pixels(picture))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height that a picture has in the square, in pixels.

        The shorter edge is rounded to the nearest whole number, and to the even one of two.
        """
        longer = max(width, height)
        scaled = (max(1, round(edge * self.side / longer)) for edge in (width, height))
        return next(scaled), next(scaled)

    def pixels(self, picture: Image.Image) -> Pixels:
        """The square: (side, side, 3)."""
        square = np.empty((self.side, self.side, 3), np.uint8)
        self.draw(picture, square)
        return square

    def draw(self, picture: Image.Image, square: Pixels) -> None:
        """Fill ``square`` (side, side, 3), which may be a view of an array of other order."""
        size = self.size(*picture.size)
        if self.original_bugs:
            inside = np.asarray(_sampled(picture, size))
        elif size == picture.size:
            inside = np.asarray(picture)
        else:
            inside = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        upright = size[0] < size[1]
        if upright:
            inside, square = inside.transpose(1, 0, 2), square.transpose(1, 0, 2)
        if self.original_bugs:
            self._with_bugs(inside, square)
        else:
            self._with_bars(inside, square)

    def _with_bars(self, inside: Pixels, square: Pixels) -> None:
        """``inside`` (short, side, 3) with bars above and below it."""
        short = len(inside)
        above = (self.side - short) // 2
        below = self.side - short - above
        square[above : above + short] = inside
        if self.fill != "gaussian":
            square[:above] = square[above + short :] = 255 if self.fill == "white" else 0
        elif below <= short:
            square[:above] = _blurred(inside[:above])
            square[above + short :] = _blurred(inside[short - below :])
        else:  # the picture again and again, outwards
            soft = _blurred(inside)
            rows = np.arange(below)
            square[:above] = soft[(rows[:above] - above) % short]
            square[above + short :] = soft[rows % short]

    def _with_bugs(self, inside: Pixels, square: Pixels) -> None:
        short = len(inside)
        square[:] = 0
        if short + 1 >= self.side:
            square[:short] = inside
            return
        bar = (self.side - short) // 2
        start = self.side - bar - short  # one later than the bar is high where the rest is odd
        square[start : start + short] = inside
        if bar > short:
            # Once on either side, whatever the fill; the first of its rows is lost.
            soft = _blurred(inside)
            square[bar - short + 1 : bar] = soft[1:]
            square[self.side - bar : self.side - bar + short] = soft
        elif self.fill == "gaussian":
            square[:bar] = _blurred(inside[:bar])
            square[self.side - bar :] = _blurred(inside[short - bar :])
        elif self.fill == "white":
            square[:bar] = square[self.side - bar :] = 225


def _sampled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at ``size`` by four neighbours a pixel, however much it shrinks."""
    scale_x, scale_y = picture.width / size[0], picture.height / size[1]
    return picture.transform(
        size,
        Image.Transform.AFFINE,
        (scale_x, 0, 0, 0, scale_y, 0),
        Image.Resampling.BILINEAR,
    )


def _blurred(strip: Pixels) -> Pixels:
    """Each pixel the mean of the 7 x 7 around it; beyond an edge the strip is mirrored.

    Means of rows are rounded, and then those of columns, as Pillow's ``BoxBlur(3)`` does it.
    """
    height, width, bands = strip.shape
    if not height:
        return strip
    columns = _mirrored(width)
    around = np.empty((height, width + 2 * _REACH, bands), np.uint16)
    around[:, _REACH:-_REACH] = strip
    around[:, :_REACH] = strip[:, columns[:_REACH]]
    around[:, -_REACH:] = strip[:, columns[-_REACH:]]
    across = _means(around.reshape(height, -1).T, bands)
    down = _means(across.T[_mirrored(height)], 1)
    return down.astype(np.uint8).reshape(strip.shape)


def _means(values: UInt16Array, step: int) -> UInt16Array:
    """The rounded means of 7 rows each that are ``step`` apart: 6 steps fewer rows."""
    twos = values[:-step] + values[step:]
    fours = twos[: -2 * step] + twos[2 * step :]
    sums: UInt16Array = fours[: -3 * step] + twos[4 * step : -step]
    sums += values[6 * step :]
    sums += _WINDOW // 2
    sums //= _WINDOW
    return sums


@lru_cache
def _mirrored(length: int) -> Int64Array:
    """0 to ``length`` - 1, and three more at either end, mirrored without the edge itself."""
    return np.pad(np.arange(length), _REACH, mode="reflect")
