"""Classification: cross-entropy over classes; the vectors before the classifier are kept."""

from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl
from pydantic import Field

from likewise.models.recipes.base import TrainedRecipe
from likewise.models.recipes.validation import accuracy_validator
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class Classify(TrainedRecipe):
    """Cross-entropy on a backbone, as in CompCars' classification and on ImageNet subsets.

    Validation holds out a share of the items of every class.

    Attributes:
        head: pooling; see the recipe metric.
        dim: length of a linear layer after pooling; 0 for none.
        smoothing: label smoothing.
        mixup: twice the maximum share of the second image: 1 mixes up to halves. Shares are
            uniform, one per batch and process (Zhang et al., ICLR 2018, use a Beta
            distribution).
        min_images_per_class: classes with fewer items are left out.
    """

    kind: ClassVar[str] = "classify"
    reads_packs: ClassVar[bool] = True
    head: Literal["none", "gem", "compcars"] = "none"
    dim: int = Field(default=0, ge=0)
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    mixup: float = Field(default=0.0, ge=0, le=1)
    min_images_per_class: int = Field(default=1, gt=0)

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train a classifier on labelled items."""
        from likewise.models.training.class_objectives import ClassificationObjective
        from likewise.models.training.pack_order import item_sampler
        from likewise.models.training.trainer import TrainingSetup

        labelled = data.labelled().with_min_images_per_class(self.min_images_per_class)
        training, held_out = labelled.hold_out_per_class(self.validation, 0)
        codes, names = training.checked_class_codes()
        architecture = builder.base.model_copy(
            update={"head": self.head, "projection_dim": self.dim}
        )
        objective = ClassificationObjective(
            builder.descriptor(architecture),
            builder.augmenter(self),
            codes,
            self.smoothing,
            self.mixup,
        )
        held_out = held_out.filter(pl.col("label").is_in(names))
        return TrainingSetup(
            objective,
            item_sampler(self, training, builder.seed),
            training,
            architecture,
            accuracy_validator(builder, held_out, names),
        )
