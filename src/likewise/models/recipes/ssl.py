"""Self-supervised pre-training on pictures without labels."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.models.recipes.base import Trained
from likewise.models.training.options import Augment
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.trainer import Bench, Lesson


class Ssl(Trained):
    """Learn from pictures alone; the backbone's weights are kept, under timm's own names.

    ``method`` simclr brings two changed views of a picture together. dino has a student agree
    with a slow teacher over large and ``local_views`` small parts of a picture. masked is the
    task of FISSP: patches are hidden and reconstructed (generative), and a picture and its
    reconstruction are brought together (contrastive, times ``contrastive_weight``).
    ``mask_ratio`` is the share of masked patches, ``mask_patch_size`` their side in pixels.
    ``prototypes`` is their number in dino, ``local_size`` the side of its small views in pixels
    (by default half of the large ones').

    Sources: SimCLR: arXiv:2002.05709. DINO: 2104.14294. Masked: FISSP's figure of its task; the
    reconstruction is SimMIM's, 2111.09886.
    """

    kind: ClassVar[str] = "ssl"
    section: ClassVar[str] = "pretrained"
    method: Literal["simclr", "dino", "masked"] = "simclr"
    validation: float = Field(default=0.0, ge=0, le=0)
    tau: float = Field(default=0.2, gt=0)
    dim: int = Field(default=128, gt=0)
    mask_ratio: float = Field(default=0.6, gt=0, lt=1)
    mask_patch_size: int = Field(default=32, gt=0)
    contrastive_weight: float = Field(default=1.0, ge=0)
    prototypes: int = Field(default=4096, gt=0)
    local_views: int = Field(default=4, ge=0)
    local_size: int | None = Field(default=None, gt=0)
    momentum: float = Field(default=0.996, ge=0, lt=1)
    augment: Augment = Augment(crop=0.2, flip=0.5, colour=0.4, grey=0.2, blur=0.3, zoom=1.5)

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Pictures, each of which is its own class."""
        from likewise.models.training import self_supervised
        from likewise.models.training.samplers import Shuffled
        from likewise.models.training.trainer import Lesson

        distinct = material.of(
            material.items.unique("content", keep="first", maintain_order=True)
        )
        model = bench.descriptor(bench.base)
        views = bench.views(self)
        task: self_supervised.Task
        if self.method == "simclr":
            task = self_supervised.SimclrTask(model, views, self.dim, self.tau)
        elif self.method == "dino":
            local = self.local_size or views.size // 2
            task = self_supervised.DinoTask(
                model,
                views,
                views.smaller(local),
                self.local_views,
                self.prototypes,
                self.momentum,
            )
        else:
            task = self_supervised.MaskedTask(
                model,
                views,
                self.dim,
                (self.tau, self.mask_ratio, self.contrastive_weight),
                self.mask_patch_size,
            )
        sampler = Shuffled(len(distinct), self.batch, bench.seed)
        return Lesson(task, sampler, distinct, bench.base)
