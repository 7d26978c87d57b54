"""The middle of a picture."""

from PIL import Image
from pydantic import Field

from likewise.imaging.transforms.base import Transform


class Crop(Transform):
    """The square of ``side`` pixels in the middle; what lies outside of the picture is black.

    Pixel for pixel what torchvision's ``CenterCrop`` makes of a picture that is no smaller: the
    offset is half the rest, rounded to the nearest whole number, and to the even one of two.
    """

    side: int = Field(gt=0)
    """Pixels of the square's edges."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        left, top = (round((edge - self.side) / 2) for edge in picture.size)
        return picture.crop((left, top, left + self.side, top + self.side))
