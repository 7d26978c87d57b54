"""Metric learning: near vectors for items of a class."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.models.recipes.base import TrainedRecipe
from likewise.models.recipes.validation import retrieval_validator
from likewise.models.training.metric_options import MetricOptions
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class MetricTraining(MetricOptions, TrainedRecipe):
    """Metric learning with batches of ``samples_per_class`` items of each class.

    Validation holds out whole classes. The loss compcars is a softmax over anchor x {positive,
    negatives}; the other losses and the miners are those of pytorch-metric-learning.

    Attributes:
        head: pooling of the last feature map: none (timm's own), gem (generalised mean) or
            compcars (pooling of the CompCars system).
        dim: length of a linear layer after pooling; 0 for none.

    Sources: CompCars: the programs of its image retrieval system. ArcFace: arXiv:1801.07698.
    ProxyAnchor: 2003.13911. Multi-similarity: 1904.06627. SupCon: 2004.11362.
    """

    kind: ClassVar[str] = "metric"
    head: Literal["none", "gem", "compcars"] = "gem"
    dim: int = Field(default=0, ge=0)

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train on labelled items, in class-balanced batches."""
        from likewise.models.training import losses
        from likewise.models.training.class_objectives import MetricObjective
        from likewise.models.training.samplers import ClassBalancedSampler
        from likewise.models.training.trainer import TrainingSetup

        training, held_out = self.parts(data)
        codes, names = training.checked_class_codes()
        architecture = builder.base.model_copy(
            update={"head": self.head, "projection_dim": self.dim}
        )
        model = builder.descriptor(architecture)
        loss = losses.build_loss(self, len(names), self.dim or model.width)
        return TrainingSetup(
            MetricObjective(model, builder.augmenter(self), codes, loss),
            ClassBalancedSampler(codes, self.batch, self.samples_per_class, builder.seed),
            training,
            architecture,
            retrieval_validator(builder, held_out),
        )
