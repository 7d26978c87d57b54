"""Learn the classes by cross-entropy; the vectors before the classifier are kept."""

from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl
from pydantic import Field

from likewise.models.recipes.base import Trained
from likewise.models.recipes.validation import by_accuracy
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.trainer import Bench, Lesson


class Classify(Trained):
    """Cross-entropy on a backbone: CompCars' class training, ImageNet subsets.

    ``head`` and ``dim`` are those of the recipe metric. ``smoothing`` is the label smoothing;
    ``mixup`` the greatest share of a second picture, doubled: 1 mixes up to halves, all shares
    up to it alike (Zhang et al., ICLR 2018, draw them from a Beta distribution), one a batch
    and process. Held out is a share of the items of every class.
    """

    kind: ClassVar[str] = "classify"
    head: Literal["none", "gem", "compcars"] = "none"
    dim: int = Field(default=0, ge=0)
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    mixup: float = Field(default=0.0, ge=0, le=1)
    min_images_per_class: int = Field(default=1, gt=0)

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Items and their classes."""
        from likewise.models.training.class_objectives import ClassifyTask
        from likewise.models.training.samplers import Shuffled
        from likewise.models.training.trainer import Lesson

        learned, held = (
            material.labelled()
            .with_least(self.min_images_per_class)
            .held_out_of_each(self.validation, 0)
        )
        codes, names = learned.classes()
        architecture = bench.base.model_copy(update={"head": self.head, "project": self.dim})
        task = ClassifyTask(
            bench.descriptor(architecture), bench.views(self), codes, self.smoothing, self.mixup
        )
        held = held.where(pl.col("label").is_in(names))
        return Lesson(
            task,
            Shuffled(len(codes), self.batch, bench.seed),
            learned,
            architecture,
            by_accuracy(bench, held, names),
        )
