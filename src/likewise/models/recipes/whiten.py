"""Whitening: a linear layer fitted on the vectors of a split, without gradient steps."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from likewise.models.passport import Passport
from likewise.models.recipes.base import FittedRecipe
from likewise.models.training.training_data import TrainingContext


class Whiten(FittedRecipe):
    """PCA and whitening of the vectors of the initial model; labels are not needed.

    Attributes:
        dim: number of principal components; 0 for all.
        power: each component is divided by its standard deviation to this power: 0 for no
            whitening, 1 for full whitening.
        scales: factors by which images are resized; the vectors are averaged. The layer is
            fitted at the first scale.

    Source: Jegou and Chum, Negative Evidences and Co-occurrences in Image Retrieval: the
    Benefit of PCA and Whitening, ECCV 2012.
    """

    kind: ClassVar[str] = "whiten"
    section: ClassVar[str] = "pretrained"
    dim: int = Field(default=0, ge=0)
    power: float = Field(default=1.0, ge=0, le=1)
    scales: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Fit the layer and write the model into ``folder``.

        Raises:
            ConfigError: the initial model already ends in a linear layer.
            DataError: the split has fewer images than dimensions.
        """
        required = self.require(context)
        from likewise.models.training import whitening

        options = (self.dim, self.power, self.scales)
        return whitening.make_model(self, self.entry(), options, (folder, seed, required))
