"""A model without training: every other model must be better than it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydantic import Field

from likewise.models.model_files import check_files
from likewise.models.passport import WEIGHTS, Passport, Preprocessing, libraries
from likewise.models.recipes.base import Recipe

if TYPE_CHECKING:
    from torch import nn

    from likewise.models.training.encode import Encoder


class Thumbnail(Recipe):
    """The pixels of a small picture, multiplied by a random matrix.

    Source: random projections keep distances: Johnson and Lindenstrauss (1984).

    Attributes:
        side: width and height of the small picture, in pixels.
        dim: length of the vectors.
    """

    side: int = Field(default=16, ge=2, le=64)
    dim: int = Field(default=64, ge=1)

    def make(
        self, folder: Path, seed: int, context: Any = None, *, root: Any = None
    ) -> Passport:
        """Draw the matrix, and write weights and passport into ``folder``."""
        import torch

        from likewise.models.training import weights

        model = self._model()
        random = torch.Generator().manual_seed(seed)
        torch.nn.init.normal_(model.get_parameter("1.weight"), generator=random)
        passport = Passport(
            recipe={"kind": "thumbnail", **self.model_dump(mode="json")},
            backbone="thumbnail",
            dim=self.dim,
            weights_sha256=weights.save(model, folder / WEIGHTS),
            weights_source="random",
            preprocessing=Preprocessing(
                input_size=(3, self.side, self.side),
                interpolation="box",
                crop_pct=1.0,
                crop_mode="squash",
                mean=(0.5, 0.5, 0.5),
                std=(0.5, 0.5, 0.5),
            ),
            precision="float32",
            libraries=libraries(),
            seed=seed,
        )
        passport.write(folder)
        return passport

    def load(self, folder: Path, role: str | None = None) -> "Encoder":
        """Load the model in ``folder``; the digest of its weights is compared."""
        from likewise.models.training import weights
        from likewise.models.training.encode import Encoder

        passport = Passport.read(folder)
        check_files(folder, passport)
        model = self._model()
        weights.restore(model, folder / WEIGHTS)
        return Encoder(model, partial(small_pixels, side=self.side), passport)

    def _model(self) -> "nn.Sequential":
        """Return the network: it gets normalised pixels (images, 3, side, side)."""
        from torch import nn

        # On the device meta, nothing is drawn from the global random numbers of the process.
        linear = nn.Linear(3 * self.side**2, self.dim, bias=False, device="meta")
        return nn.Sequential(nn.Flatten(), linear.to_empty(device="cpu"))


def small_pixels(image: Image.Image, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the pixels of an RGB image at another size: (side, side, 3), uint8."""
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.uint8)
