"""The learning rate at every step, as a share of the highest."""

import math

from likewise.models.training.options import Plan


def share(plan: Plan, step: int, steps_an_epoch: int) -> float:
    """What ``plan.lr`` is multiplied by at ``step``, counted from 0.

    A linear warm-up, then a half cosine that ends at zero (Loshchilov and Hutter, SGDR, ICLR
    2017, without restarts), or a factor every so many epochs, or 1.
    """
    warm = plan.warmup * steps_an_epoch
    if step < warm:
        return (step + 1) / (warm + 1)
    if plan.schedule == "cosine":
        left = max(1.0, plan.epochs * steps_an_epoch - warm)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / left)))
    if plan.schedule == "step":
        return float(plan.gamma ** math.floor(step / steps_an_epoch / plan.step_size))
    return 1.0
