"""Computations that stay in float32 when a GPU computes in bfloat16."""

from contextlib import AbstractContextManager

import torch


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Disable autocast: for losses, augmentation and the layers on top of a backbone.

    bfloat16 has 8 bits of precision. In bfloat16, a sampling grid moves a position in an image
    of 224 pixels by almost a pixel, and a cosine divided by a temperature of 0.07 has an error
    of 0.05. The caller converts the outputs of a backbone to float32.
    """
    return torch.autocast(device.type, enabled=False)
