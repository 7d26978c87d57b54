"""Resize images."""

from typing import Literal

from PIL import Image
from pydantic import Field

from likewise.imaging.transforms.base import Placement, Transform

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


class Resize(Transform):
    """Resize one edge to ``side`` pixels, and the other in proportion, with antialiasing.

    Identical to torchvision's ``Resize`` of a Pillow image: the other edge is rounded down.
    """

    side: int = Field(gt=0)
    """Edge length in pixels."""

    edge: Literal["shorter", "longer", "both"] = "shorter"
    """Edge to resize; ``both`` changes the aspect ratio."""

    filter: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = "bilinear"
    """Resampling filter."""

    def __call__(self, picture: Image.Image) -> Image.Image:
        """See ``Transform.__call__``."""
        size = self._size(*picture.size)
        return picture if size == picture.size else picture.resize(size, FILTERS[self.filter])

    def place(self, width: int, height: int) -> Placement:
        """See ``Transform.place``."""
        w, h = self._size(width, height)
        return Placement(w, h, w / width, h / height)

    def _size(self, width: int, height: int) -> tuple[int, int]:
        if self.edge == "both":
            return self.side, self.side
        edge_length = min(width, height) if self.edge == "shorter" else max(width, height)
        if width == edge_length:
            return self.side, max(1, int(self.side * height / width))
        return max(1, int(self.side * width / height)), self.side
