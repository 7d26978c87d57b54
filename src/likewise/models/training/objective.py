"""Training objectives: a model with its loss, as one module."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import distributed, nn


class ItemTensor:
    """One row of values per item, on the CPU; batches select rows of it.

    The tensor is not a buffer, because it may contain millions of vectors: copies of an
    objective share it, and processes do not send it to each other.
    """

    def __init__(self, values: torch.Tensor) -> None:
        """Keep values of shape (items, ...)."""
        self._values = values

    @classmethod
    def labels(cls, labels: Sequence[int]) -> "ItemTensor":
        """Keep the class of each item."""
        return cls(torch.tensor(list(labels)))

    def select(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the values of ``rows`` (n,) in that order."""
        return self._values[rows]

    def __deepcopy__(self, memo: object) -> "ItemTensor":
        """Return this object itself."""
        return self


class Objective(nn.Module):
    """A model and the loss that trains it."""

    model: nn.Module
    """The part that is kept after the training."""

    views = 1
    """Random views per image and batch."""

    @abstractmethod
    def forward(self, pixels: torch.Tensor, targets: torch.Tensor, random: torch.Tensor) -> Any:
        """Return the loss of a batch, a scalar; no operation waits for the device.

        Args:
            pixels: (units * items per unit, height, width, 3), uint8.
            targets: (units, ...), from ``targets``.
            random: (views, units * items per unit, RANDOM_NUMBERS), for the augmentation.
        """

    def targets(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the inputs of the loss besides pixels: labels or a teacher's vectors.

        They are selected on the CPU, before the batch is sent to the device.

        Args:
            rows: (units, items per unit), the rows of the items.
        """
        return rows

    def after_step(self, progress: float) -> None:
        """Update the state after an optimiser step; ``progress`` goes from 0 to 1."""


def gather_all(part: torch.Tensor) -> torch.Tensor:
    """Concatenate the rows of all processes, by rank: (all rows, ...).

    Every process computes the loss of all rows, and its gradient flows to its own rows only.
    The factor, the number of processes, undoes the averaging of gradients over processes.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return part
    world, rank = distributed.get_world_size(), distributed.get_rank()
    parts = [torch.empty_like(part) for _ in range(world)]
    distributed.all_gather(parts, part.detach().contiguous())
    if part.requires_grad:
        parts[rank] = part + (world - 1) * (part - part.detach())
    return torch.cat(parts)


def unwrap(module: nn.Module) -> Objective:
    """Return the objective inside the wrappers of accelerate and torch.compile."""
    while not isinstance(module, Objective):
        inner = getattr(module, "module", None)
        module = cast(
            "nn.Module", inner if inner is not None else module.get_submodule("_orig_mod")
        )
    return module
