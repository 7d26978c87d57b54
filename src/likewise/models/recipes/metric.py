"""Learn vectors in which items of a class are near: the CompCars system, and later losses."""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from likewise.models.recipes.base import Trained
from likewise.models.recipes.validation import by_class
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.trainer import Bench, Lesson


class Metric(Trained):
    """Metric learning with batches of ``samples_per_class`` items of each class.

    Validation holds out whole classes.
    ``head`` pools the backbone's last map: none is timm's own pooling, gem the generalised
    mean, compcars that of the CompCars system. ``dim`` is the length of the linear layer after
    it, 0 for none. ``loss`` compcars is the softmax over anchor x {positive, ``negatives``};
    the others are pytorch-metric-learning's, with ``margin`` and ``scale`` (s, alpha, beta, or
    one over the temperature) and ``miner`` in its sense, but arcface's margin is in radians, as
    in its paper. ``min_images_per_class`` leaves classes of fewer items out; a class of one has
    no pair.

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
    def _say_what_is_idle(self) -> "Metric":
        """Refuse options that the loss does not read."""
        idle = {
            "margin": self.loss in ("compcars", "supcon") and self.miner != "semihard",
            "scale": self.loss in ("compcars", "triplet"),
            "miner": self.loss == "compcars",
            "negatives": self.loss != "compcars",
        }
        fields = type(self).model_fields
        said = [n for n, it in idle.items() if it and getattr(self, n) != fields[n].default]
        if said:
            raise ValueError(f"loss {self.loss} has no {', no '.join(said)}; leave that out")
        if self.loss == "arcface" and (self.margin or 0) > math.pi / 2:
            raise ValueError("margin of arcface is an angle in radians: 0.5 for 28.6 degrees")
        return self

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Items and their classes."""
        from likewise.models.training import losses
        from likewise.models.training.class_objectives import MetricTask
        from likewise.models.training.samplers import Balanced
        from likewise.models.training.trainer import Lesson

        chosen = material.labelled().with_least(self.min_images_per_class)
        learned, held = chosen.held_out("label", self.validation, 0)
        learned.need_pairs()
        codes, names = learned.classes()
        architecture = bench.base.model_copy(update={"head": self.head, "project": self.dim})
        model = bench.descriptor(architecture)
        wanted = losses.Chosen(self.loss, self.margin, self.scale, self.negatives, self.miner)
        loss = losses.by_name(wanted, len(names), self.dim or model.width)
        return Lesson(
            MetricTask(model, bench.views(self), codes, loss),
            Balanced(codes, self.batch, self.samples_per_class, bench.seed),
            learned,
            architecture,
            by_class(bench, held),
        )
