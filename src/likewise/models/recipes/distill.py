"""Distillation: a small student learns the stored vectors of a large teacher."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.loop import Validate
    from likewise.models.training.objective import Objective
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class Distill(TrainedRecipe):
    """Train a student to give the teacher's vectors.

    The loss is 1 - cosine, plus ``relational_weight`` times the mean squared difference of the
    cosines within a batch (Park et al., Relational Knowledge Distillation, CVPR 2019, with
    cosines in place of angles). If the student's vectors have another length than the
    teacher's, a linear layer is added; otherwise the weights keep timm's names.

    Attributes:
        teacher: a model that embeds the data set; its stored vectors are read, it never runs.
        head: pooling; see the recipe metric.
        relational_weight: weight of the relational term.
    """

    kind: ClassVar[str] = "distill"
    reads_packs: ClassVar[bool] = True
    section: ClassVar[str] = "distilled"
    teacher: str
    head: Literal["none", "gem", "compcars"] = "none"
    relational_weight: float = Field(default=1.0, ge=0)

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train a student on images and the teacher's vectors."""
        from likewise.models.training import descriptor
        from likewise.models.training.distillation import (
            DistillationObjective,
            teacher_vectors,
        )
        from likewise.models.training.pack_order import item_sampler
        from likewise.models.training.trainer import TrainingSetup

        training, held_out = data.hold_out("content", self.validation, 0, least=1)
        vectors = teacher_vectors(training)
        dim = vectors.shape[1]
        pooled = builder.base.model_copy(update={"head": self.head})
        same_length = descriptor.pooled_width(builder.trunk, pooled) == dim
        architecture = pooled.model_copy(update={"projection_dim": 0 if same_length else dim})
        model = builder.descriptor(architecture)
        return TrainingSetup(
            DistillationObjective(
                model, builder.augmenter(self), vectors, self.relational_weight
            ),
            item_sampler(self, training, builder.seed),
            training,
            architecture,
            _cosine_validator(builder, held_out),
        )


def _cosine_validator(builder: "ModelBuilder", held_out: TrainingData) -> "Validate | None":
    """Measure the mean cosine to the teacher's vectors on the held-out items."""
    if not len(held_out):
        return None
    from likewise.models.training.distillation import teacher_vectors

    teacher = teacher_vectors(held_out).numpy()

    def validate(objective: "Objective") -> dict[str, float]:
        student = builder.embed(objective.model, held_out)
        return {"cosine": float((student * teacher).sum(axis=1).mean())}

    return validate
