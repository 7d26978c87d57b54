"""Centre crop."""

from PIL import Image
from pydantic import Field

from likewise.imaging.transforms.base import Placement, Transform


class Crop(Transform):
    """Square of ``side`` pixels in the centre; pixels outside the image are black.

    Identical to torchvision's ``CenterCrop`` for images that are not smaller: the offset is
    half the difference, rounded to the nearest integer, ties to even.
    """

    side: int = Field(gt=0)
    """Edge length in pixels."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        left, top = self._corner(*picture.size)
        return picture.crop((left, top, left + self.side, top + self.side))

    def place(self, width: int, height: int) -> Placement:
        """See ``Transform.place``."""
        left, top = self._corner(width, height)
        return Placement(self.side, self.side, left=-left, top=-top)

    def _corner(self, width: int, height: int) -> tuple[int, int]:
        return round((width - self.side) / 2), round((height - self.side) / 2)
