"""Encoders with an adapter: the encoder of the initial model, then layers on its vectors."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.formats.array_types import Float32Array
from likewise.models.model_files import check_files
from likewise.models.passport import WEIGHTS, Passport
from likewise.models.training import weights
from likewise.models.training.adapter_layers import Adapter, adapted
from likewise.models.training.image_encoder import ImageEncoder

if TYPE_CHECKING:
    from PIL import Image

    from likewise.models.training.attention_maps import Attention
    from likewise.models.training.image_batches import Images

BASE = "base"
"""The folder, inside the folder of an adapter, of the initial model."""


class AdapterEncoder(ImageEncoder):
    """Embeds images by the initial model, and adapts its vectors on the CPU."""

    def __init__(self, base: ImageEncoder, layers: Adapter, passport: Passport) -> None:
        """Combine the encoder of the initial model with the layers."""
        self.dim, self.passport = passport.dim, passport
        self._base, self._layers = base, layers

    def encode(self, images: "Sequence[Image.Image]") -> Float32Array:
        """Embed images of queries: (images, dim), float32, L2-normalised."""
        return adapted(self._layers, self._base.encode(images))

    def encode_stream(
        self, dataset: "Images", *, unreadable: dict[int, str] | None = None
    ) -> Iterator[tuple[list[int], Float32Array]]:
        """Embed the images of ``dataset`` in order; see ``ImageEncoder``."""
        for rows, vectors in self._base.encode_stream(dataset, unreadable=unreadable):
            yield rows, adapted(self._layers, vectors)

    def seen(self, image: "Image.Image") -> "Image.Image":
        """Return the pixels that the initial model gets of an image."""
        return self._base.seen(image)

    def attention(self, image: "Image.Image") -> "Attention":
        """Return the attention weights of the initial model for an image."""
        return self._base.attention(image)


def load_layers(folder: Path) -> Adapter:
    """Load the layers of the adapter in ``folder``, without the initial model.

    Raises:
        MissingArtefactError: a file is missing.
        DataError: a file differs from the passport.
    """
    passport = Passport.read(folder)
    check_files(folder, passport)
    width = Passport.read(folder / BASE).dim
    layers = Adapter(width, passport.dim, int(passport.recipe.get("hidden", 0)))
    weights.restore(layers, folder / WEIGHTS)
    return layers.eval()
