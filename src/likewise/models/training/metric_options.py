"""Options of metric learning, on images or on stored vectors."""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from likewise.models.training.options import LoopOptions
from likewise.models.training.training_data import TrainingData


class MetricOptions(LoopOptions):
    """Loss and batches of metric learning.

    Attributes:
        loss: name of the loss.
        margin: margin of the loss; arcface's is in radians, as in its paper.
        scale: s, alpha, beta or the inverse temperature of the loss.
        negatives: negatives per anchor of the loss compcars.
        miner: selection of pairs or triplets within a batch.
        samples_per_class: items of each class in a batch.
        min_images_per_class: classes with fewer items are left out; a pair needs two.
    """

    loss: Literal[
        "compcars", "arcface", "proxy-anchor", "multi-similarity", "supcon", "triplet"
    ] = "multi-similarity"
    margin: float | None = Field(default=None, ge=0)
    scale: float | None = Field(default=None, gt=0)
    negatives: int = Field(default=4, gt=0)
    miner: Literal["none", "semihard", "hard", "multi-similarity"] = "none"
    samples_per_class: int = Field(default=4, gt=1)
    min_images_per_class: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _check_options_of_loss(self) -> Self:
        """Refuse options that the loss does not read."""
        unread = {
            "margin": self.loss in ("compcars", "supcon") and self.miner != "semihard",
            "scale": self.loss in ("compcars", "triplet"),
            "miner": self.loss == "compcars",
            "negatives": self.loss != "compcars",
        }
        fields = type(self).model_fields
        given = [
            name
            for name, ignored in unread.items()
            if ignored and getattr(self, name) != fields[name].default
        ]
        if given:
            raise ValueError(f"loss {self.loss} has no {', no '.join(given)}; leave that out")
        if self.loss == "arcface" and (self.margin or 0) > math.pi / 2:
            raise ValueError("margin of arcface is an angle in radians: 0.5 for 28.6 degrees")
        return self

    def parts(self, data: TrainingData) -> tuple[TrainingData, TrainingData]:
        """Return the labelled items to learn from, and those of the held-out classes.

        Raises:
            DataError: no item has a label, or a class has too few items.
        """
        labelled = data.labelled().with_min_images_per_class(self.min_images_per_class)
        training, held_out = labelled.hold_out("label", self.validation, 0)
        training.require_pairs()
        return training, held_out
