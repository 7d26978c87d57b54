"""A small student learns a large teacher's vectors, which are in the catalogue already."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.models.recipes.base import Trained
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.loop import Validate
    from likewise.models.training.objective import Task
    from likewise.models.training.trainer import Bench, Lesson


class Distill(Trained):
    """The student's vector of a picture is to be the teacher's, by cosine and by neighbours.

    ``teacher`` is a model that embeds the data set; its vectors are read, it never runs. The
    loss is 1 - cosine, plus ``relational_weight`` times the squared difference of the cosines
    within a batch (Park et al., Relational Knowledge Distillation, CVPR 2019, of angles
    simplified to cosines). The student ends in a linear layer of the teacher's length if its
    own vectors have another length; otherwise its weights keep timm's names.
    """

    kind: ClassVar[str] = "distill"
    section: ClassVar[str] = "distilled"
    teacher: str
    head: Literal["none", "gem", "compcars"] = "none"
    relational_weight: float = Field(default=1.0, ge=0)

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Pictures, and the vectors that they are to have."""
        from likewise.models.training import descriptor
        from likewise.models.training.distillation import DistillTask, teacher_vectors
        from likewise.models.training.samplers import Shuffled
        from likewise.models.training.trainer import Lesson

        learned, held = material.held_out("content", self.validation, 0, least=1)
        wanted = teacher_vectors(learned)
        dim = wanted.shape[1]
        pooled = bench.base.model_copy(update={"head": self.head})
        alike = descriptor.width(bench.trunk, pooled) == dim
        architecture = pooled.model_copy(update={"project": 0 if alike else dim})
        model = bench.descriptor(architecture)
        return Lesson(
            DistillTask(model, bench.views(self), wanted, self.relational_weight),
            Shuffled(len(learned), self.batch, bench.seed),
            learned,
            architecture,
            _by_cosine(bench, held),
        )


def _by_cosine(bench: "Bench", held: Material) -> "Validate | None":
    """The mean cosine to the teacher's vectors of what was held out."""
    if not len(held):
        return None
    from likewise.models.training.distillation import teacher_vectors

    wanted = teacher_vectors(held).numpy()

    def judge(task: "Task") -> dict[str, float]:
        found = bench.vectors(task.model, held)
        return {"cosine": float((found * wanted).sum(axis=1).mean())}

    return judge
