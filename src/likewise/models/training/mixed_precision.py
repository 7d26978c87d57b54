"""What stays in float32 where a GPU computes in half precision."""

from contextlib import AbstractContextManager

import torch


def exact(device: torch.device) -> AbstractContextManager[None]:
    """Losses, random changes and what stands on a backbone, as they are: no autocast.

    bfloat16 keeps 8 bits. In it a sampling grid puts a place of a picture of 224 pixels almost
    a pixel aside, and a cosine over a temperature of 0.07 is off by 0.05. What comes out of a
    backbone in it is for the caller to widen.
    """
    return torch.autocast(device.type, enabled=False)
