"""Training batches of one process, from any step on: rows, pixels and random numbers."""

import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from likewise.errors import DataError, bounded
from likewise.imaging.parallel import cores
from likewise.models.passport import Preprocessing
from likewise.models.training import backbones
from likewise.models.training.augment import random_numbers
from likewise.models.training.image_batches import MAX_WORKERS, Batch, stream_parts
from likewise.models.training.samplers import Sampler, Units
from likewise.models.training.training_data import TrainingData


@dataclass(frozen=True)
class TrainingBatch:
    """The input of one step of one process; see ``Objective.forward``.

    Attributes:
        pixels: (items, height, width, 3), uint8; of a training without images (items, dim),
            the vectors of the items.
        rows: (units, items per unit), the rows of the items.
        random: (views, items, RANDOM_NUMBERS), uniform in 0 to 1.
    """

    pixels: torch.Tensor
    rows: torch.Tensor
    random: torch.Tensor


class Loader(Protocol):
    """Loads the batches of a training."""

    sampler: Sampler
    """Composes the batches."""

    def batches(
        self, first: int, last: int, views: int, seed: int, process: tuple[int, int, bool]
    ) -> Generator[TrainingBatch, None, None]:
        """Yield the batches of one process; see ``BatchLoader.batches``."""
        ...

    def ids(self, rows: torch.Tensor) -> str:
        """Return the ids of some rows, for a message."""
        ...


class BatchLoader:
    """Loads a process's share of every batch; on a GPU images are decoded ahead."""

    def __init__(
        self,
        data: TrainingData,
        preprocessing: Preprocessing,
        sampler: Sampler,
        workers: int | None,
    ) -> None:
        """Prepare to read; nothing is read yet.

        Args:
            data: the items.
            preprocessing: how images are read.
            sampler: composes the batches.
            workers: processes that decode images; None lets the device decide.
        """
        self._ids = data.ids
        self._reader = data.reader()
        self._transform = backbones.pixel_transform(preprocessing)
        self._nbytes = int(np.prod(preprocessing.input_size))
        self._workers = workers
        self.sampler = sampler

    def rows(self, first: int, last: int, rank: int = 0, world: int = 1) -> Iterator[list[int]]:
        """Yield the rows of process ``rank`` of ``world`` for steps ``first`` to ``last``."""
        for units in epoch_units(self.sampler, first, last):
            yield share(units, rank, world).ravel().tolist()

    def batches(
        self, first: int, last: int, views: int, seed: int, process: tuple[int, int, bool]
    ) -> Generator[TrainingBatch, None, None]:
        """Yield the batches of one process, step by step.

        Args:
            first: the first step.
            last: the step after the last one.
            views: random views per image.
            seed: the seed of the random numbers.
            process: (rank, number of processes, whether it has a GPU).

        Raises:
            DataError: an image cannot be decoded; the message names it.
        """
        rank, world, gpu = process
        workers = self._workers
        if workers is None:
            workers = min(max(1, cores() // _local_processes(world)), MAX_WORKERS) if gpu else 0
        # A photograph may be in two pairs of a batch: it is read once.
        distinct = (list(dict.fromkeys(rows)) for rows in self.rows(first, last, rank, world))
        most = self.sampler.epoch(0)[0].size
        decoded = stream_parts(
            self._reader, self._transform, distinct, workers=workers, nbytes=most * self._nbytes
        )
        for step, (units, batch) in enumerate(
            zip(epoch_units(self.sampler, first, last), decoded, strict=True), first
        ):
            if batch.unreadable:
                raise self._unreadable(batch.unreadable)
            own = share(units, rank, world)
            random = torch.stack(
                [random_numbers(seed, step, view, units.size) for view in range(views)]
            )
            part = units.size // world
            yield TrainingBatch(
                _in_order(batch, own.ravel().tolist()),
                torch.from_numpy(own),
                random[:, rank * part : (rank + 1) * part],
            )

    def ids(self, rows: torch.Tensor) -> str:
        """Return the ids of some rows, for a message."""
        return listed_ids(self._ids, rows)

    def _unreadable(self, reasons: dict[int, str]) -> DataError:
        images = [f"{self._ids[row]} ({reason})" for row, reason in reasons.items()]
        return DataError(
            f"training images cannot be decoded: {', '.join(images[:5])}; correct them, or "
            "exclude them in the card: source: exclude: [...]"
        )


def epoch_units(sampler: Sampler, first: int, last: int) -> Iterator[Units]:
    """Yield the batches of all processes for steps ``first`` to ``last``."""
    steps = sampler.steps
    for epoch in range(first // steps, -(-last // steps)):
        batches = sampler.epoch(epoch)
        for at in range(max(first - epoch * steps, 0), min(last - epoch * steps, steps)):
            yield batches[at]


def listed_ids(ids: Sequence[str], rows: torch.Tensor) -> str:
    """Return the ids of some rows, for a message."""
    distinct = list(dict.fromkeys(rows.flatten().tolist()))
    return bounded([ids[row] for row in distinct], len(distinct))


def _in_order(batch: Batch, rows: list[int]) -> torch.Tensor:
    """Return the pixels of ``rows``; without a copy if possible, which keeps memory pinned."""
    if batch.rows == rows:
        return batch.pixels
    place = {row: at for at, row in enumerate(batch.rows)}
    return batch.pixels[[place[row] for row in rows]]


def _local_processes(world: int) -> int:
    """Return the number of processes on this machine, as set by torchrun or accelerate."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", world))


def share(units: Units, rank: int, world: int) -> Units:
    """Return the units of process ``rank`` of ``world``."""
    part = len(units) // world
    return units[rank * part : (rank + 1) * part]
