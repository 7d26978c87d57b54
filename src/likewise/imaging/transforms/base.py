"""Base class of transforms: from an image to an image or an array."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from PIL import Image

from likewise.formats.array_types import Float32Array
from likewise.registry import Part


class Placement(NamedTuple):
    """Where a transform puts the pixels of an image: x becomes ``x * scale_x + left``.

    Attributes:
        width: width of the result in pixels.
        height: height of the result in pixels.
        scale_x: horizontal scale.
        scale_y: vertical scale.
        left: x of the image's left edge in the result; negative if it is cut.
        top: y of the image's top edge in the result.
    """

    width: int
    height: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def then(self, other: "Placement") -> "Placement":
        """Return the placement of this one followed by ``other``."""
        return Placement(
            other.width,
            other.height,
            self.scale_x * other.scale_x,
            self.scale_y * other.scale_y,
            self.left * other.scale_x + other.left,
            self.top * other.scale_y + other.top,
        )


TransformResult = Image.Image | Float32Array


class Transform(Part, ABC):
    """A transform of one image; it can be pickled for worker processes.

    Subclass it to add a transform, and register the class in
    ``likewise.imaging.transforms.TRANSFORMS``. The pydantic fields of the subclass are the
    options that users write in params.yaml.

    Attributes:
        makes_array: True if the result is an array; no other transform can follow.

    Example:
        Mirror the image::

            class Mirror(Transform):
                def __call__(self, picture: Image.Image) -> Image.Image:
                    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    """

    makes_array: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, picture: Image.Image) -> Any:
        """Transform an RGB image.

        Args:
            picture: image in mode RGB; it must not be modified.

        Returns:
            An image in mode RGB, or with ``makes_array`` a float32 array (3, height, width).
        """

    def place(self, width: int, height: int) -> Placement:
        """Return where the pixels of an image of this size are in the result.

        Override it in transforms that move pixels, so that boxes are moved with them.

        Raises:
            NotImplementedError: the transform does not define it.
        """
        raise NotImplementedError
