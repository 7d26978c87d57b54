"""The learning rate schedule."""

import math

from likewise.models.training.options import TrainingOptions


def learning_rate_factor(options: TrainingOptions, step: int, steps_per_epoch: int) -> float:
    """Return the factor of ``options.lr`` at ``step``, counted from 0.

    A linear warm-up is followed by a half cosine that ends at zero (Loshchilov and Hutter,
    SGDR, ICLR 2017, without restarts), by a step schedule, or by 1.
    """
    warmup = options.warmup * steps_per_epoch
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if options.schedule == "cosine":
        remaining = max(1.0, options.epochs * steps_per_epoch - warmup)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / remaining)))
    if options.schedule == "step":
        return float(options.gamma ** math.floor(step / steps_per_epoch / options.step_size))
    return 1.0
