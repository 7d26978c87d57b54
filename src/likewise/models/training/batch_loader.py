"""Batches for one process, from a given step on: rows, pixels and random numbers."""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from likewise.errors import DataError
from likewise.imaging.parallel import cores
from likewise.models.passport import Preprocessing
from likewise.models.training import backbones
from likewise.models.training.augment import draws
from likewise.models.training.image_batches import MOST_WORKERS, Batch, in_parts
from likewise.models.training.samplers import Sampler, Units
from likewise.models.training.training_data import Material, named


@dataclass(frozen=True)
class Fed:
    """What a step of one process is given; see ``Task.forward``."""

    pixels: torch.Tensor
    rows: torch.Tensor
    draws: torch.Tensor


class Feed:
    """Reads the pictures of a training: its share of every batch, decoded ahead on a GPU."""

    def __init__(
        self, material: Material, config: Preprocessing, sampler: Sampler, workers: int | None
    ) -> None:
        """Take what is learned from, how pictures are read, and who makes the batches."""
        self._ids = material.ids
        self._reader = material.reader()
        self._transform = backbones.transform(config)
        self._nbytes = int(np.prod(config.input_size))
        self._workers = workers
        self.sampler = sampler

    def steps(
        self, first: int, last: int, rank: int = 0, world: int = 1
    ) -> Iterator[list[int]]:
        """The rows of process ``rank`` of ``world`` at the steps from ``first`` to ``last``."""
        for units in self._units(first, last):
            yield _share(units, rank, world).ravel().tolist()

    def __call__(
        self, first: int, last: int, views: int, seed: int, process: tuple[int, int, bool]
    ) -> Generator[Fed, None, None]:
        """The batches of a process, (rank, processes, whether it has a GPU), step by step.

        Raises:
            DataError: a picture cannot be decoded; it names it.
        """
        rank, world, gpu = process
        workers = self._workers
        if workers is None:
            workers = min(max(1, cores() // _neighbours(world)), MOST_WORKERS) if gpu else 0
        # A photograph may stand in two pairs of a batch: it is read once.
        distinct = (list(dict.fromkeys(rows)) for rows in self.steps(first, last, rank, world))
        most = self.sampler.epoch(0)[0].size
        read = in_parts(
            self._reader, self._transform, distinct, workers=workers, nbytes=most * self._nbytes
        )
        for number, (units, batch) in enumerate(
            zip(self._units(first, last), read, strict=True), first
        ):
            if batch.unreadable:
                raise self._unreadable(batch.unreadable)
            own = _share(units, rank, world)
            numbers = torch.stack([draws(seed, number, v, units.size) for v in range(views)])
            part = units.size // world
            yield Fed(
                _in_order(batch, own.ravel().tolist()),
                torch.from_numpy(own),
                numbers[:, rank * part : (rank + 1) * part],
            )

    def ids(self, rows: torch.Tensor) -> str:
        """Some items' ids, for a message."""
        return named(self._ids, list(dict.fromkeys(rows.flatten().tolist())))

    def _units(self, first: int, last: int) -> Iterator[Units]:
        steps = self.sampler.steps
        for epoch in range(first // steps, -(-last // steps)):
            batches = self.sampler.epoch(epoch)
            for at in range(max(first - epoch * steps, 0), min(last - epoch * steps, steps)):
                yield batches[at]

    def _unreadable(self, bad: dict[int, str]) -> DataError:
        said = [f"{self._ids[row]} ({why})" for row, why in bad.items()]
        return DataError(
            f"a picture to learn from cannot be decoded: {', '.join(said[:5])}; mend it, or "
            "leave it out by the card: source: exclude: [...]"
        )


def _in_order(batch: Batch, rows: list[int]) -> torch.Tensor:
    """The pixels of ``rows``; the batch's own where they agree: a GPU reads pinned memory."""
    if batch.rows == rows:
        return batch.pixels
    place = {row: at for at, row in enumerate(batch.rows)}
    return batch.pixels[[place[row] for row in rows]]


def _neighbours(world: int) -> int:
    """How many of the processes share this machine's cores: torchrun and accelerate say it."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", world))


def _share(units: Units, rank: int, world: int) -> Units:
    part = len(units) // world
    return units[rank * part : (rank + 1) * part]
