"""Whitening: a linear layer fitted on the vectors of a split, which no gradient touches."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from likewise.models.passport import Passport
from likewise.models.recipes.base import Learned
from likewise.models.training.options import Source
from likewise.models.training.training_data import Study


class Whiten(Source, Learned):
    """The start's vectors through PCA: centred, turned, shortened to ``dim``, and whitened.

    ``power`` is the share of whitening: each component is divided by its standard deviation to
    that power, 0 for none, 1 for all. ``scales`` are the sizes that pictures are embedded at,
    the vectors of all averaged; the layer is fitted at the first size. It is fitted on the
    pictures of ``split`` and needs no label.

    Source: Jegou and Chum, Negative Evidences and Co-occurrences in Image Retrieval: the
    Benefit of PCA and Whitening, ECCV 2012.
    """

    kind: ClassVar[str] = "whiten"
    section: ClassVar[str] = "pretrained"
    dim: int = Field(default=0, ge=0)
    power: float = Field(default=1.0, ge=0, le=1)
    scales: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)

    def make(self, folder: Path, seed: int, study: Study | None = None) -> Passport:
        """Fit the layer and write the model into ``folder``.

        Raises:
            ConfigError: the start ends in a linear layer already.
            DataError: there are fewer pictures than dimensions.
        """
        given = self.need(study)
        from likewise.models.training import whitening

        options = (self.dim, self.power, self.scales)
        return whitening.make(self, self.entry(), options, (folder, seed, given))
