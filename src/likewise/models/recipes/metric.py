"""Metric learning: near vectors for items of a class."""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from likewise.models.recipes.base import TrainedRecipe
from likewise.models.recipes.validation import retrieval_validator
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class MetricTraining(TrainedRecipe):
    """Metric learning with batches of ``samples_per_class`` items of each class.

    Validation holds out whole classes. The loss compcars is a softmax over anchor x {positive,
    negatives}; the other losses and the miners are those of pytorch-metric-learning.

    Attributes:
        head: pooling of the last feature map: none (timm's own), gem (generalised mean) or
            compcars (pooling of the CompCars system).
        dim: length of a linear layer after pooling; 0 for none.
        loss: name of the loss.
        margin: margin of the loss; arcface's is in radians, as in its paper.
        scale: s, alpha, beta or the inverse temperature of the loss.
        negatives: negatives per anchor of the loss compcars.
        miner: selection of pairs or triplets within a batch.
        samples_per_class: items of each class in a batch.
        min_images_per_class: classes with fewer items are left out; a pair needs two.

    Sources: CompCars: the programs of its image retrieval system. ArcFace: arXiv:1801.07698.
    ProxyAnchor: 2003.13911. Multi-similarity: 1904.06627. SupCon: 2004.11362.
    """

    kind: ClassVar[str] = "metric"
    head: Literal["none", "gem", "compcars"] = "gem"
    dim: int = Field(default=0, ge=0)
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
    def _check_options_of_loss(self) -> "MetricTraining":
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

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train on labelled items, in class-balanced batches."""
        from likewise.models.training import losses
        from likewise.models.training.class_objectives import MetricObjective
        from likewise.models.training.samplers import ClassBalancedSampler
        from likewise.models.training.trainer import TrainingSetup

        labelled = data.labelled().with_min_images_per_class(self.min_images_per_class)
        training, held_out = labelled.hold_out("label", self.validation, 0)
        training.require_pairs()
        codes, names = training.checked_class_codes()
        architecture = builder.base.model_copy(
            update={"head": self.head, "projection_dim": self.dim}
        )
        model = builder.descriptor(architecture)
        options = losses.LossOptions(
            self.loss, self.margin, self.scale, self.negatives, self.miner
        )
        loss = losses.build_loss(options, len(names), self.dim or model.width)
        return TrainingSetup(
            MetricObjective(model, builder.augmenter(self), codes, loss),
            ClassBalancedSampler(codes, self.batch, self.samples_per_class, builder.seed),
            training,
            architecture,
            retrieval_validator(builder, held_out),
        )
