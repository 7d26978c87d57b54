"""A whole picture in a square, with bars.

Source of the original behaviour: ``changeImageShape`` of the CompCars image-retrieval system,
as described, and as seen in its output.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from pydantic import Field

from likewise.imaging.transforms.base import Transform

Pixels = npt.NDArray[np.uint8]

_REACH = 3
"""The blur looks so many pixels to each side: a window of 7 x 7."""


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
        size = self.size(*picture.size)
        if self.original_bugs:
            inside = np.asarray(_sampled(picture, size))
        elif size == picture.size:
            inside = np.asarray(picture)
        else:
            inside = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        upright = size[0] < size[1]
        lying = inside.transpose(1, 0, 2) if upright else inside
        square = self._with_bugs(lying) if self.original_bugs else self._square(lying)
        return square.transpose(1, 0, 2) if upright else square

    def _square(self, inside: Pixels) -> Pixels:
        """``inside`` (short, side, 3) with bars above and below it."""
        short = len(inside)
        above = (self.side - short) // 2
        below = self.side - short - above
        if not above + below:
            return inside
        if self.fill != "gaussian":
            value = 255 if self.fill == "white" else 0
            return np.pad(inside, ((above, below), (0, 0), (0, 0)), constant_values=value)
        if below <= short:
            parts = (_blurred(inside[:above]), inside, _blurred(inside[short - below :]))
        else:  # the picture again and again, outwards
            soft = _blurred(inside)
            rows = np.arange(below)
            parts = (soft[(rows[:above] - above) % short], inside, soft[rows % short])
        return np.concatenate(parts)

    def _with_bugs(self, inside: Pixels) -> Pixels:
        short = len(inside)
        square = np.zeros((self.side, self.side, 3), np.uint8)
        if short + 1 >= self.side:
            square[:short] = inside
            return square
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
        return square


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
    """Each pixel the mean of the 7 x 7 around it; beyond an edge the strip is mirrored."""
    if not len(strip):
        return strip
    around = np.pad(strip, ((_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="reflect")
    soft = Image.fromarray(around).filter(ImageFilter.BoxBlur(_REACH))
    return np.asarray(soft)[_REACH:-_REACH, _REACH:-_REACH]
