"""Objectives without labels: SimCLR, DINO and masked reconstruction."""

import copy
import math
from typing import TYPE_CHECKING

import torch
from lightly.loss import DINOLoss
from lightly.models.modules import DINOProjectionHead, SimCLRProjectionHead
from torch import nn
from torch.nn import functional

from likewise.errors import ConfigError
from likewise.formats.quiet import quiet
from likewise.models.training import feature_maps
from likewise.models.training.augment import Augmenter
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.losses import nt_xent
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.objective import Objective, gather_all
from likewise.models.training.optimiser import update_moving_averages

if TYPE_CHECKING:
    from torch import Tensor


class SimclrObjective(Objective):
    """NT-Xent of two augmented views of each image, after a projection of two layers."""

    views = 2

    def __init__(self, model: Descriptor, augmenter: Augmenter, dim: int, tau: float) -> None:
        """Create the projection.

        Args:
            model: the model to train.
            augmenter: augments the images.
            dim: length of the projection.
            tau: temperature.
        """
        super().__init__()
        self.model: Descriptor = model
        self._augmenter, self._tau = augmenter, tau
        self.project = SimCLRProjectionHead(model.width, model.width, dim)

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> "Tensor":
        """Return the loss of a batch."""
        both = torch.cat([self._augmenter.augmented(pixels, numbers) for numbers in random])
        one, other = self.project(self.model(both)).chunk(2)
        return nt_xent(gather_all(one), gather_all(other), self._tau)


class DinoObjective(Objective):
    """DINO: a student learns the outputs of its moving average, the teacher, on large crops.

    The teacher is kept, as the better one of the two. Batch norms of the teacher, if any, use
    statistics of their own inputs. Temperatures (student 0.1, teacher 0.04), the momentum of
    the centre (0.9, over all processes) and the cosine schedule of the momentum are DINO's.
    Unlike its program, this objective does not freeze the last layer for an epoch, warm up the
    teacher's temperature for many prototypes, or schedule the weight decay.
    """

    def __init__(
        self,
        model: Descriptor,
        augmenter: Augmenter,
        local_augmenter: Augmenter,
        local_views: int,
        prototypes: int,
        momentum: float,
    ) -> None:
        """Create the heads and the teacher.

        Args:
            model: the student; the teacher is a copy.
            augmenter: makes the two large crops.
            local_augmenter: makes the small crops.
            local_views: number of small crops.
            prototypes: output dimension of the heads.
            momentum: momentum of the teacher at the start.

        Raises:
            ConfigError: the backbone does not support images of the size of small crops.
        """
        super().__init__()
        if local_views:
            _check_size(model, local_augmenter.size, augmenter.size)
        self.views = 2 + local_views
        self._augmenter, self._local_augmenter = augmenter, local_augmenter
        self._momentum = momentum
        head, other = (_dino_head(model.width, prototypes) for _ in range(2))
        other.load_state_dict(head.state_dict())
        self.student = nn.ModuleDict({"model": model, "head": head})
        self.model: Descriptor = copy.deepcopy(model)
        self.teacher = nn.ModuleDict({"model": self.model, "head": other})
        self.teacher.requires_grad_(requires_grad=False)
        self.loss = DINOLoss(prototypes)

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> "Tensor":
        """Return the loss of a batch."""
        large = [self._augmenter.augmented(pixels, numbers) for numbers in random[:2]]
        small = [self._local_augmenter.augmented(pixels, numbers) for numbers in random[2:]]
        with torch.no_grad():
            teacher = [_outputs(self.teacher, view) for view in large]
        student = [_outputs(self.student, view) for view in (*large, *small)]
        with full_precision(pixels.device):
            loss: Tensor = self.loss(teacher, student)
        return loss

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Update the teacher; its momentum rises to 1 by a cosine schedule, as in DINO."""
        momentum = 1 - (1 - self._momentum) * (math.cos(math.pi * progress) + 1) / 2
        update_moving_averages(
            list(self.teacher.parameters()), list(self.student.parameters()), momentum
        )


class MaskedObjective(Objective):
    """Reconstruction of masked patches, and NT-Xent of images and their reconstructions."""

    def __init__(
        self,
        model: Descriptor,
        augmenter: Augmenter,
        dim: int,
        options: tuple[float, float, float],
        patch: int,
    ) -> None:
        """Create the projection and the decoder.

        Args:
            model: the model to train.
            augmenter: augments the images.
            dim: length of the projection.
            options: (temperature, mask ratio, weight of the contrastive term).
            patch: side of masked patches in pixels.

        Raises:
            ConfigError: the side of the input is not a multiple of ``patch``.
        """
        super().__init__()
        if augmenter.size % patch:
            raise ConfigError(
                f"mask_patch_size {patch} does not divide the input size of {augmenter.size} "
                "pixels; set mask_patch_size or input_size"
            )
        self.model: Descriptor = model
        self._augmenter, self._patch = augmenter, patch
        self._tau, self._mask_ratio, self._contrastive_weight = options
        self.project = SimCLRProjectionHead(model.width, model.width, dim)
        self.paint = nn.Linear(feature_maps.channels(model.trunk), 3 * patch * patch)

    def forward(self, pixels: "Tensor", targets: "Tensor", random: "Tensor") -> "Tensor":
        """Return the mean absolute error in masked patches plus the contrastive term."""
        images = self._augmenter.augmented(pixels, random[0])
        mask = self._mask(random[0], self._augmenter.size // self._patch)
        decoded = self._decoded(images * (1 - mask))
        error = ((decoded - images).abs() * mask).sum() / (3 * mask.sum()).clamp(min=1)
        restored = images * (1 - mask) + decoded * mask
        one, other = self.project(self.model(torch.cat([images, restored]))).chunk(2)
        contrast = nt_xent(gather_all(one), gather_all(other), self._tau)
        return error + self._contrastive_weight * contrast

    def _mask(self, random: "Tensor", side: int) -> "Tensor":
        """Return masks (n, 1, h, w), 1 in masked patches, determined by ``random``."""
        seeds = (
            random[:, -1:] * 7919 + torch.arange(side * side, device=random.device)
        ) * 12.9898
        noise = torch.frac(torch.sin(seeds.double()) * 43758.5453).abs()
        masked = noise.argsort(dim=1) < round(self._mask_ratio * side * side)
        mask = masked.view(-1, 1, side, side).float()
        return functional.interpolate(mask, scale_factor=float(self._patch))

    def _decoded(self, images: "Tensor") -> "Tensor":
        """Decode images from the backbone's last feature map, one patch per position."""
        features = feature_maps.feature_map(self.model.trunk, images)
        positions = feature_maps.flatten_map(self.model.trunk, features).transpose(1, 2)
        side = math.isqrt(positions.shape[2])
        patches_across = self._augmenter.size // self._patch
        grid = functional.interpolate(
            positions.reshape(*positions.shape[:2], side, side),
            (patches_across, patches_across),
            mode="bilinear",
        )
        patches = self.paint(grid.flatten(2).transpose(1, 2)).transpose(1, 2).float()
        size = (self._augmenter.size, self._augmenter.size)
        return functional.fold(patches, size, self._patch, stride=self._patch)


def _check_size(model: Descriptor, side: int, large: int) -> None:
    """Check that the backbone supports images of ``side``; many transformers have one size."""
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 3, side, side))
    except (AssertionError, RuntimeError) as error:
        raise ConfigError(
            f"the backbone does not support local views of {side} pixels ({error}); set "
            f"local_size: {large}, or local_views: 0"
        ) from error


def _dino_head(width: int, prototypes: int) -> nn.Module:
    """Create lightly's DINO head, with a weight normalisation that can be copied.

    lightly uses torch's old weight_norm, whose tensor is not copied to a moving average.
    """
    with quiet(FutureWarning):
        head: nn.Module = DINOProjectionHead(width, width, 256, prototypes)
        last = nn.utils.remove_weight_norm(head.get_submodule("last_layer"))
    nn.utils.parametrizations.weight_norm(last)
    last.get_parameter("parametrizations.weight.original0").requires_grad_(False)  # noqa: FBT003 (torch has it positional)
    return head


def _outputs(network: nn.ModuleDict, view: "Tensor") -> "Tensor":
    vectors = network["model"](view)
    with full_precision(view.device):  # its cosines are divided by temperatures of 0.1 and 0.04
        outputs: Tensor = network["head"](vectors.float())
    return outputs
