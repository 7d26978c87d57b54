"""What the loop trains: a model with its loss, one module, as every process needs it."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import distributed, nn

if TYPE_CHECKING:
    from likewise.models.training.descriptor import Branches, Descriptor


class Held:
    """What is known of items, a row each: on the CPU, where it is chosen from.

    Millions of vectors are no buffer: a copy of a task has them in common with it, and no
    process sends them to another.
    """

    def __init__(self, values: torch.Tensor) -> None:
        """Hold (items, ...)."""
        self._values = values

    @classmethod
    def labels(cls, labels: Sequence[int]) -> "Held":
        """Every item's class."""
        return cls(torch.tensor(list(labels)))

    def of(self, rows: torch.Tensor) -> torch.Tensor:
        """Those of ``rows`` (n,), in that order."""
        return self._values[rows]

    def __deepcopy__(self, memo: object) -> "Held":
        """The same."""
        return self


class Task(nn.Module):
    """A model that learns, and the loss that it learns by."""

    model: "Descriptor | Branches"
    """What is kept in the end."""

    @abstractmethod
    def forward(self, pixels: torch.Tensor, known: torch.Tensor, draws: torch.Tensor) -> Any:
        """The loss of a batch: a scalar; nothing in it waits for the device.

        Args:
            pixels: (units * items a unit, height, width, 3) uint8, as they are read.
            known: (units, ...), what ``known`` says of them.
            draws: (views, units * items a unit, DRAWS), random numbers for their changes.
        """

    def known(self, rows: torch.Tensor) -> torch.Tensor:
        """What the loss is told of items besides their pixels: labels, a teacher's vectors.

        It is chosen on the CPU, before anything is sent to the device.

        Args:
            rows: (units, items a unit), the items' rows.
        """
        return rows

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
