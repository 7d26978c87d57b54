"""Models that embed images."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from likewise.errors import DataError
from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport

if TYPE_CHECKING:
    from PIL import Image

    from likewise.models.training.attention_maps import Attention
    from likewise.models.training.image_batches import Images


class ImageEncoder(ABC):
    """A model that embeds images as vectors of ``dim`` values.

    Attributes:
        dim: the length of the vectors.
        passport: the passport of the model.
    """

    dim: int
    passport: Passport

    @abstractmethod
    def encode(self, images: "Sequence[Image.Image]") -> Float32Array:
        """Embed images of queries: (images, dim), float32, L2-normalised.

        Raises:
            DataError: a vector is zero or contains NaN.
        """

    @abstractmethod
    def encode_stream(
        self, dataset: "Images", *, unreadable: dict[int, str] | None = None
    ) -> Iterator[tuple[list[int], Float32Array]]:
        """Embed the images of ``dataset`` in order.

        Args:
            dataset: the images.
            unreadable: gets the rows that cannot be decoded, with the reasons.

        Yields:
            The rows of a batch, without unreadable ones, and their vectors.

        Raises:
            DataError: a vector is zero or contains NaN (at once); or images cannot be decoded
                and ``unreadable`` is None (at the end).
        """

    def seen(self, image: "Image.Image") -> "Image.Image":
        """Return the pixels that the model gets of an image, before they are normalised."""
        return image.convert("RGB")

    def attention(self, image: "Image.Image") -> "Attention":
        """Return the attention weights of a vision transformer for an image.

        Raises:
            DataError: the model is not a vision transformer of timm.
        """
        raise DataError(
            f"a model of kind {self.passport.recipe['kind']!r} has no attention that can be "
            "read; choose a vision transformer of kind timm"
        )
