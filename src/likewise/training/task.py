"""What the loop trains: a model with its loss, one module, as every process needs it."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import distributed, nn

if TYPE_CHECKING:
    from likewise.training.descriptor import Branches, Descriptor


class Task(nn.Module):
    """A model that learns, and the loss that it learns by."""

    model: "Descriptor | Branches"
    """What is kept in the end."""

    @abstractmethod
    def forward(self, pixels: torch.Tensor, rows: torch.Tensor, draws: torch.Tensor) -> Any:
        """The loss of a batch: a scalar.

        Args:
            pixels: (units * items a unit, height, width, 3) uint8, as they are read.
            rows: (units, items a unit), the items' rows.
            draws: (views, units * items a unit, DRAWS), random numbers for their changes.
        """

    views = 1
    """How many times a picture is changed at random for one batch."""

    def after_step(self, progress: float) -> None:
        """What is to happen when the weights have moved; ``progress`` is from 0 to 1."""


def together(part: torch.Tensor) -> torch.Tensor:
    """The rows that all processes have, in the order of the processes: (all rows, ...).

    The gradient of a loss that every process computes of all rows flows to its own rows only;
    times the number of processes, over which it is averaged afterwards, it is the whole one.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return part
    world, rank = distributed.get_world_size(), distributed.get_rank()
    parts = [torch.empty_like(part) for _ in range(world)]
    distributed.all_gather(parts, part.detach().contiguous())
    if part.requires_grad:
        parts[rank] = part + (world - 1) * (part - part.detach())
    return torch.cat(parts)


def plain(module: nn.Module) -> Task:
    """The task inside what accelerate and torch.compile wrapped around it."""
    while not isinstance(module, Task):
        inner = getattr(module, "module", None)
        module = cast(
            "nn.Module", inner if inner is not None else module.get_submodule("_orig_mod")
        )
    return module
