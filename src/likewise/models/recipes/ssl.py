"""Self-supervised pre-training on images without labels."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training.options import AugmentOptions
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.objective import Objective
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class Ssl(TrainedRecipe):
    """Train a backbone on images alone; its weights keep timm's names.

    The method simclr contrasts two augmented views of each image. dino trains a student to
    agree with a moving-average teacher over large and small crops. masked is the task of
    FISSP: it reconstructs masked patches (generative) and contrasts an image with its
    reconstruction (contrastive).

    Attributes:
        method: simclr, dino or masked.
        validation: always 0; there is nothing to choose weights by.
        tau: temperature of the contrastive loss.
        dim: length of the projection, which is dropped after the training.
        mask_ratio: share of masked patches (masked).
        mask_patch_size: side of these patches in pixels (masked).
        contrastive_weight: weight of the contrastive term (masked).
        prototypes: number of prototypes, the output dimension of the head (dino).
        local_views: number of small crops per image (dino).
        local_size: side of small crops in pixels; by default half of the input (dino).
        momentum: momentum of the teacher at the start (dino).
        augment: augmentation of the images.

    Sources: SimCLR: arXiv:2002.05709. DINO: 2104.14294. Masked: the figure of FISSP's task;
    the reconstruction is SimMIM's, 2111.09886.
    """

    kind: ClassVar[str] = "ssl"
    reads_packs: ClassVar[bool] = True
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
    augment: AugmentOptions = AugmentOptions(
        crop=0.2, flip=0.5, colour=0.4, grey=0.2, blur=0.3, zoom=1.5
    )

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train on distinct images; each image is its own class."""
        from likewise.models.training.pack_order import item_sampler
        from likewise.models.training.trainer import TrainingSetup

        distinct = data.with_items(
            data.items.unique("content", keep="first", maintain_order=True)
        )
        objective = self._objective(builder)
        sampler = item_sampler(self, distinct, builder.seed)
        return TrainingSetup(objective, sampler, distinct, builder.base)

    def _objective(self, builder: "ModelBuilder") -> "Objective":
        from likewise.models.training import self_supervised

        model = builder.descriptor(builder.base)
        augmenter = builder.augmenter(self)
        if self.method == "simclr":
            return self_supervised.SimclrObjective(model, augmenter, self.dim, self.tau)
        if self.method == "dino":
            side = self.local_size or augmenter.size // 2
            return self_supervised.DinoObjective(
                model,
                augmenter,
                augmenter.for_local_views(side),
                self.local_views,
                self.prototypes,
                self.momentum,
            )
        return self_supervised.MaskedObjective(
            model,
            augmenter,
            self.dim,
            (self.tau, self.mask_ratio, self.contrastive_weight),
            self.mask_patch_size,
        )
