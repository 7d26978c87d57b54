"""Base class of transforms: from an image to an image or an array."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from PIL import Image

from likewise.formats.array_types import Float32Array
from likewise.registry import Part

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
