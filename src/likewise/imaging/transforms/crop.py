"""Centre crop."""

from PIL import Image
from pydantic import Field

from likewise.imaging.transforms.base import Transform


class Crop(Transform):
    """Square of ``side`` pixels in the centre; pixels outside the image are black.

    Identical to torchvision's ``CenterCrop`` for images that are not smaller: the offset is
    half the difference, rounded to the nearest integer, ties to even.
    """

    side: int = Field(gt=0)
    """Edge length in pixels."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        left, top = (round((edge - self.side) / 2) for edge in picture.size)
        return picture.crop((left, top, left + self.side, top + self.side))
