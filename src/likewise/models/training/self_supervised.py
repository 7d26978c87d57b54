"""Tasks without labels: two views of a picture, a student and its teacher, hidden patches."""

import copy
import math
import warnings
from typing import TYPE_CHECKING

import torch
from lightly.loss import DINOLoss
from lightly.models.modules import DINOProjectionHead, SimCLRProjectionHead
from torch import nn
from torch.nn import functional

from likewise.errors import ConfigError
from likewise.models.training import backbones
from likewise.models.training.augment import Views
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.losses import nt_xent
from likewise.models.training.mixed_precision import exact
from likewise.models.training.objective import Task, together
from likewise.models.training.optimiser import move

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DinoTask", "MaskedTask", "SimclrTask", "Task"]


class SimclrTask(Task):
    """NT-Xent of two changed views of every picture, after a projection of two layers."""

    views = 2

    def __init__(self, model: Descriptor, views: Views, dim: int, tau: float) -> None:
        """Take the model, how pictures are seen, the projection's length, the temperature."""
        super().__init__()
        self.model: Descriptor = model
        self._see, self._tau = views, tau
        self.project = SimCLRProjectionHead(model.width, model.width, dim)

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of a batch."""
        both = torch.cat([self._see.changed(pixels, drawn) for drawn in draws])
        one, other = self.project(self.model(both)).chunk(2)
        return nt_xent(together(one), together(other), self._tau)


class DinoTask(Task):
    """A student learns what its own moving average, the teacher, says of larger views.

    The teacher is kept: it is the better one of the two; its batch norms, where it has some,
    go by what they see themselves. Temperatures (0.1, the teacher's 0.04 throughout), the
    centre (0.9, over all processes) and the momentum's cosine are DINO's; its program also
    holds the last layer still for an epoch, warms the teacher's temperature up for large
    ``outputs``, and raises the weight decay.
    """

    def __init__(
        self,
        model: Descriptor,
        views: Views,
        small: Views,
        count: int,
        outputs: int,
        momentum: float,
    ) -> None:
        """Take the model, how large and small views are seen, and how many small ones.

        Raises:
            ConfigError: the backbone takes no pictures of the small views' size.
        """
        super().__init__()
        if count:
            _need_size(model, small.size, views.size)
        self.views = 2 + count
        self._see, self._small, self._momentum = views, small, momentum
        head, other = (_dino_head(model.width, outputs) for _ in range(2))
        other.load_state_dict(head.state_dict())
        self.student = nn.ModuleDict({"model": model, "head": head})
        self.model: Descriptor = copy.deepcopy(model)
        self.teacher = nn.ModuleDict({"model": self.model, "head": other})
        self.teacher.requires_grad_(requires_grad=False)
        self.loss = DINOLoss(outputs)

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> "Tensor":
        """The loss of a batch."""
        large = [self._see.changed(pixels, drawn) for drawn in draws[:2]]
        small = [self._small.changed(pixels, drawn) for drawn in draws[2:]]
        with torch.no_grad():
            told = [_through(self.teacher, view) for view in large]
        said = [_through(self.student, view) for view in (*large, *small)]
        with exact(pixels.device):
            loss: Tensor = self.loss(told, said)
        return loss

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Move the teacher a little towards the student; ever less, by a cosine, as in DINO."""
        keep = 1 - (1 - self._momentum) * (math.cos(math.pi * progress) + 1) / 2
        move(list(self.teacher.parameters()), list(self.student.parameters()), keep)


class MaskedTask(Task):
    """Hidden patches reconstructed, and pictures brought together with their reconstruction."""

    def __init__(
        self,
        model: Descriptor,
        views: Views,
        dim: int,
        options: tuple[float, float, float],
        patch: int,
    ) -> None:
        """Take the model, how pictures are seen, and (temperature, share hidden, weight).

        Raises:
            ConfigError: the input's side is no multiple of the patch's.
        """
        super().__init__()
        if views.size % patch:
            raise ConfigError(
                f"mask_patch_size {patch} does not divide the input's side of {views.size} "
                "pixels; set mask_patch_size or input_size"
            )
        self.model: Descriptor = model
        self._see, self._patch = views, patch
        self._tau, self._hidden, self._contrast = options
        self.project = SimCLRProjectionHead(model.width, model.width, dim)
        self.paint = nn.Linear(backbones.channels(model.trunk), 3 * patch * patch)

    def forward(self, pixels: "Tensor", known: "Tensor", draws: "Tensor") -> "Tensor":
        """The reconstruction's mean absolute error where it was hidden, and the contrast."""
        seen = self._see.changed(pixels, draws[0])
        mask = self._mask(draws[0], self._see.size // self._patch)
        painted = self._painted(seen * (1 - mask))
        error = ((painted - seen).abs() * mask).sum() / (3 * mask.sum()).clamp(min=1)
        restored = seen * (1 - mask) + painted * mask
        one, other = self.project(self.model(torch.cat([seen, restored]))).chunk(2)
        near = nt_xent(together(one), together(other), self._tau)
        return error + self._contrast * near

    def _mask(self, drawn: "Tensor", side: int) -> "Tensor":
        """(n, 1, h, w): 1 where a patch is hidden; the same numbers hide the same patches."""
        seeds = (
            drawn[:, -1:] * 7919 + torch.arange(side * side, device=drawn.device)
        ) * 12.9898
        noise = torch.frac(torch.sin(seeds.double()) * 43758.5453).abs()
        hidden = noise.argsort(dim=1) < round(self._hidden * side * side)
        mask = hidden.view(-1, 1, side, side).float()
        return functional.interpolate(mask, scale_factor=float(self._patch))

    def _painted(self, pixels: "Tensor") -> "Tensor":
        """A picture painted from the backbone's last map, a patch a place."""
        found = backbones.features(self.model.trunk, pixels)
        places = backbones.places(self.model.trunk, found).transpose(1, 2)
        side = math.isqrt(places.shape[2])
        wanted = self._see.size // self._patch
        grid = functional.interpolate(
            places.reshape(*places.shape[:2], side, side), (wanted, wanted), mode="bilinear"
        )
        patches = self.paint(grid.flatten(2).transpose(1, 2)).transpose(1, 2).float()
        size = (self._see.size, self._see.size)
        return functional.fold(patches, size, self._patch, stride=self._patch)


def _need_size(model: Descriptor, side: int, large: int) -> None:
    """Refuse a side that the backbone takes no picture of; transformers may have one alone."""
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 3, side, side))
    except (AssertionError, RuntimeError) as error:
        raise ConfigError(
            f"the backbone takes no small views of {side} pixels ({error}); set local_size: "
            f"{large}, or local_views: 0"
        ) from error


def _dino_head(width: int, outputs: int) -> nn.Module:
    """The head of DINO by lightly, whose last layer is normalised in a way that can be copied.

    torch's old weight_norm, which lightly uses, keeps a tensor that no moving average copies.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        head: nn.Module = DINOProjectionHead(width, width, 256, outputs)
        last = nn.utils.remove_weight_norm(head.get_submodule("last_layer"))
    nn.utils.parametrizations.weight_norm(last)
    last.get_parameter("parametrizations.weight.original0").requires_grad_(False)  # noqa: FBT003 (torch knows it by place)
    return head


def _through(pair: nn.ModuleDict, view: "Tensor") -> "Tensor":
    seen = pair["model"](view)
    with exact(view.device):  # its cosines are divided by temperatures of 0.1 and 0.04
        said: Tensor = pair["head"](seen.float())
    return said
