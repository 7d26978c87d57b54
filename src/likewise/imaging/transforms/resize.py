"""Another size."""

from typing import Literal

from PIL import Image
from pydantic import Field

from likewise.imaging.transforms.base import Transform

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


class Resize(Transform):
    """The picture with an edge of ``side`` pixels, the other in proportion, with antialiasing.

    Pixel for pixel what torchvision's ``Resize`` makes of a Pillow image: the other edge is
    rounded down.
    """

    side: int = Field(gt=0)
    """Pixels of the edge."""

    edge: Literal["shorter", "longer", "both"] = "shorter"
    """Which edge; of ``both`` the proportions change."""

    filter: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = "bilinear"
    """How pixels are weighed."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        size = self._size(*picture.size)
        return picture if size == picture.size else picture.resize(size, FILTERS[self.filter])

    def _size(self, width: int, height: int) -> tuple[int, int]:
        if self.edge == "both":
            return self.side, self.side
        ends = min(width, height) if self.edge == "shorter" else max(width, height)
        if width == ends:
            return self.side, max(1, int(self.side * height / width))
        return max(1, int(self.side * width / height)), self.side
