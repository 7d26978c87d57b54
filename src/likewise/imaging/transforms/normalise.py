"""Normalise pixels for a network."""

from typing import ClassVar

import numpy as np
from PIL import Image

from likewise.formats.array_types import Float32Array
from likewise.imaging.transforms.base import Placement, Transform

RgbValues = tuple[float, float, float]


class Normalise(Transform):
    """(value / 255 - mean) / std per channel: float32 (3, height, width).

    The defaults are the usual ones of ImageNet. ``embed`` ignores this transform and uses the
    values in the model's passport.
    """

    makes_array: ClassVar[bool] = True

    mean: RgbValues = (0.485, 0.456, 0.406)
    """Mean of red, green and blue, 0 to 1."""

    std: RgbValues = (0.229, 0.224, 0.225)
    """Standard deviation of red, green and blue, 0 to 1."""

    def place(self, width: int, height: int) -> Placement:
        """See ``Transform.place``."""
        return Placement(width, height)

    def __call__(self, picture: Image.Image) -> Float32Array:
        """See ``Transform.__call__``."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        values = (np.asarray(picture, np.float32) / np.float32(255) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1))
