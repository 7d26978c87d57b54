"""Pixels as a network takes them."""

from typing import ClassVar

import numpy as np
from PIL import Image

from likewise.formats.array_types import Float32Array
from likewise.imaging.transforms.base import Transform

Three = tuple[float, float, float]


class Normalise(Transform):
    """(value / 255 - mean) / std, a channel at a time: (3, height, width) float32.

    The defaults are ImageNet's usual ones; a model's own are in its passport, and ``embed``
    uses those and never these.
    """

    numbers: ClassVar[bool] = True

    mean: Three = (0.485, 0.456, 0.406)
    """Of red, green and blue, 0 to 1."""

    std: Three = (0.229, 0.224, 0.225)
    """Of red, green and blue, 0 to 1."""

    def __call__(self, picture: Image.Image) -> Float32Array:
        """See ``Transform.__call__``."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        values = (np.asarray(picture, np.float32) / np.float32(255) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1))
