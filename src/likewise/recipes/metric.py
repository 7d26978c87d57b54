"""Learn vectors in which items of a class are near: the CompCars system, and later losses."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.recipes.base import Trained
from likewise.recipes.validation import by_class
from likewise.training.material import Material

if TYPE_CHECKING:
    from likewise.training.course import Bench, Lesson


class Metric(Trained):
    """Metric learning on batches of ``each`` items of a class; whole classes are held out.

    ``head`` pools the backbone's last map: none is timm's own pooling, gem the generalised
    mean, compcars that of the CompCars system. ``dim`` is the length of the linear layer after
    it, 0 for none. ``loss`` compcars is the softmax over anchor x {positive, ``negatives``};
    the others are pytorch-metric-learning's, with ``margin`` and ``scale`` (alpha, beta, or one
    over the temperature) and ``miner`` in its sense. ``least`` leaves classes of fewer items
    out; a class of one has no pair.

    Sources: CompCars: the programs of its image retrieval system. ArcFace: arXiv:1801.07698.
    ProxyAnchor: 2003.13911. Multi-similarity: 1904.06627. SupCon: 2004.11362.
    """

    kind: ClassVar[str] = "metric"
    head: Literal["none", "gem", "compcars"] = "gem"
    dim: int = Field(default=0, ge=0)
    loss: Literal[
        "compcars", "arcface", "proxy-anchor", "multi-similarity", "supcon", "triplet"
    ] = "multi-similarity"
    margin: float | None = None
    scale: float | None = None
    negatives: int = Field(default=4, gt=0)
    miner: Literal["none", "semihard", "hard", "multi-similarity"] = "none"
    each: int = Field(default=4, gt=1)
    least: int = Field(default=1, gt=0)

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Items and their classes."""
        from likewise.training import losses
        from likewise.training.classes import MetricTask
        from likewise.training.course import Lesson
        from likewise.training.samplers import Balanced

        chosen = material.labelled().with_least(self.least)
        learned, held = chosen.held_out("label", self.validation, 0)
        learned.need_pairs()
        codes, names = learned.codes()
        architecture = bench.base.model_copy(update={"head": self.head, "project": self.dim})
        model = bench.descriptor(architecture)
        wanted = losses.Chosen(self.loss, self.margin, self.scale, self.negatives, self.miner)
        loss = losses.by_name(wanted, len(names), self.dim or model.width)
        return Lesson(
            MetricTask(model, bench.views(self), codes, loss),
            Balanced(codes, self.batch, self.each, bench.seed),
            learned,
            architecture,
            by_class(bench, held),
        )
