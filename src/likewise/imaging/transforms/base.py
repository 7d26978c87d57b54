"""What every transform is: a picture in, a picture or its numbers out."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from PIL import Image

from likewise.formats.array_types import Float32Array
from likewise.registry import Part

Result = Image.Image | Float32Array


class Transform(Part, ABC):
    """One step; it can be pickled, so worker processes take it along.

    ``numbers`` says whether it makes numbers of a picture, after which no other step can come.
    """

    numbers: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, picture: Image.Image) -> Any:
        """The RGB ``picture`` transformed: a picture, or (3, height, width) float32."""
