"""What moves the weights, and the moving average of them that is kept."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from likewise.training.plan import Plan


def optimiser(task: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """The optimiser; with adamw, biases and norms have no weight decay."""
    wanted = [p for p in task.parameters() if p.requires_grad]
    if plan.optimiser == "adam":
        return torch.optim.Adam(wanted, plan.lr, weight_decay=plan.weight_decay)
    if plan.optimiser == "sgd":
        return torch.optim.SGD(wanted, plan.lr, 0.9, weight_decay=plan.weight_decay)
    groups = [
        {"params": [p for p in wanted if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in wanted if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], plan.lr)


def average(decay: float) -> Callable[[Any, Any, Any], None]:
    """A moving average that begins short: min(decay, (1 + n) / (10 + n)) at update n."""

    @torch.no_grad()
    def update(averaged: Any, current: Any, count: Any) -> None:
        number = int(count)
        keep = min(decay, (1 + number) / (10 + number))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    return update
