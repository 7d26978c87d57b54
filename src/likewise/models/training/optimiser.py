"""The optimiser, and the moving average of the weights."""

from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from likewise.models.training.backbone_blocks import backbone_blocks
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.options import TrainingOptions

RATE = "lr_scale"
"""Key of a group of parameters: the factor of its learning rate."""


def build_optimiser(objective: nn.Module, options: TrainingOptions) -> torch.optim.Optimizer:
    """Create the optimiser; adamw applies no weight decay to biases and norms."""
    groups = _groups_by_rate(objective, options.layer_decay)
    if options.optimiser == "adam":
        return torch.optim.Adam(groups, options.lr, weight_decay=options.weight_decay)
    if options.optimiser == "sgd":
        return torch.optim.SGD(groups, options.lr, 0.9, weight_decay=options.weight_decay)
    parted = [
        {**group, "params": [p for p in group["params"] if (p.ndim > 1) is decayed]}
        | {"weight_decay": options.weight_decay if decayed else 0.0}
        for group in groups
        for decayed in (True, False)
    ]
    return torch.optim.AdamW([g for g in parted if g["params"]], options.lr)


def _groups_by_rate(objective: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return the trained parameters in groups of one learning rate.

    The rate of a block of a backbone is that of the next block times ``decay``.
    """
    trained = [p for p in objective.parameters() if p.requires_grad]
    if decay == 1:
        return [{"params": trained, RATE: 1.0}]
    rates: dict[torch.Tensor, float] = {}
    for part in objective.modules():
        if isinstance(part, Descriptor):
            blocks = backbone_blocks(part.trunk)
            for name, parameter in part.trunk.named_parameters():
                rates[parameter] = decay ** max(0, blocks.count - blocks.numbers[name])
    groups: dict[float, list[torch.Tensor]] = {}
    for parameter in trained:
        groups.setdefault(rates.get(parameter, 1.0), []).append(parameter)
    return [{"params": params, RATE: rate} for rate, params in groups.items()]


@torch.no_grad()
def update_moving_averages(
    averages: list[torch.Tensor], values: list[torch.Tensor], decay: float
) -> None:
    """Set each average to decay * average + (1 - decay) * value, in few kernels."""
    get_ema_multi_avg_fn(decay)(averages, values, 0)  # type: ignore[no-untyped-call]


class MovingAverage(AveragedModel):
    """An exponential moving average with decay min(decay, (1 + n) / (10 + n)) at update n.

    torch's own reads n from the device, and waits for it, at every update.
    """

    def __init__(self, objective: nn.Module, decay: float) -> None:
        """Start with the weights of ``objective``."""
        super().__init__(objective, use_buffers=True)
        self._decay = decay

    @torch.no_grad()
    def update(self, objective: nn.Module, number: int) -> None:
        """Update after step ``number``, counted from 0; the first step is copied."""
        decay = min(self._decay, (1 + number) / (10 + number)) if number else 0.0
        pairs = [
            *zip(self.module.parameters(), objective.parameters(), strict=True),
            *zip(self.module.buffers(), objective.buffers(), strict=True),
        ]
        averaged = [pair for pair in pairs if decay and pair[0].is_floating_point()]
        if averaged:
            averages, values = zip(*averaged, strict=True)
            update_moving_averages(list(averages), list(values), decay)
        for average, value in pairs:
            if not (decay and average.is_floating_point()):
                average.copy_(value)
        self.n_averaged += 1
