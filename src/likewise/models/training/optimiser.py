"""What moves the weights, and the moving average of them that is kept."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from likewise.models.training.options import Plan


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


@torch.no_grad()
def move(means: list[torch.Tensor], values: list[torch.Tensor], keep: float) -> None:
    """Have every mean keep that share of itself, the rest of its value; all in few kernels."""
    get_ema_multi_avg_fn(keep)(means, values, 0)  # type: ignore[no-untyped-call]


class Average(AveragedModel):
    """A moving average that begins short: min(decay, (1 + n) / (10 + n)) at update n.

    torch's own asks the device for n, and waits for it, at every update.
    """

    def __init__(self, task: nn.Module, decay: float) -> None:
        """Begin with the weights of ``task``."""
        super().__init__(task, use_buffers=True)
        self._decay = decay

    @torch.no_grad()
    def update(self, task: nn.Module, number: int) -> None:
        """Move towards ``task`` after its step ``number``, from 0; take the first as it is."""
        keep = min(self._decay, (1 + number) / (10 + number)) if number else 0.0
        pairs = [
            *zip(self.module.parameters(), task.parameters(), strict=True),
            *zip(self.module.buffers(), task.buffers(), strict=True),
        ]
        moved = [pair for pair in pairs if keep and pair[0].is_floating_point()]
        if moved:
            means, values = zip(*moved, strict=True)
            move(list(means), list(values), keep)
        for mean, value in pairs:
            if not (keep and mean.is_floating_point()):
                mean.copy_(value)
        self.n_averaged += 1
