"""Samplers: the composition of batches, from shuffled items, balanced classes or pairs.

A sampler has no state: an epoch depends only on the seed and its number, so that a training
resumes in the middle of an epoch by counting steps. A unit is the set of items that goes to one
process as a whole: one item, or a pair.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Units = npt.NDArray[np.int64]


class Sampler(Protocol):
    """The interface of samplers."""

    steps: int
    """Batches per epoch."""
    group: int
    """Number of adjacent units of a batch that must stay together: the items of a class."""

    def epoch(self, number: int) -> Units:
        """Return the batches of an epoch: (steps, units per batch, items per unit), rows."""
        ...


class ShuffledSampler:
    """Every unit once per epoch; a last incomplete batch is dropped."""

    group = 1

    def __init__(self, units: Units | int, batch: int, seed: int) -> None:
        """Take the units.

        Args:
            units: (n, items per unit), rows of items; or the number of items.
            batch: units per batch.
            seed: the seed of the order.
        """
        self._units = np.arange(units)[:, None] if isinstance(units, int) else units
        self._batch = min(batch, len(self._units))
        self._seed = seed
        self.steps = len(self._units) // self._batch

    def epoch(self, number: int) -> Units:
        """Return the batches of an epoch."""
        order = _generator(self._seed, number).permutation(len(self._units))
        sampled = self._units[order[: self.steps * self._batch]]
        return sampled.reshape(self.steps, self._batch, -1)


class ClassBalancedSampler:
    """Batches with the same number of items of each of several classes.

    A batch has ``batch // samples_per_class`` classes, or all classes if there are fewer. A
    class with fewer items repeats them.
    """

    def __init__(
        self, labels: Sequence[int], batch: int, samples_per_class: int, seed: int
    ) -> None:
        """Take the classes.

        Args:
            labels: the class of each item.
            batch: items per batch.
            samples_per_class: items of each class in a batch.
            seed: the seed of the order.
        """
        codes = np.asarray(labels)
        self._rows = [np.flatnonzero(codes == code) for code in np.unique(codes)]
        self._classes = max(1, min(batch // samples_per_class, len(self._rows)))
        self._samples = self.group = samples_per_class
        self._seed = seed
        self.steps = max(1, len(codes) // (self._classes * samples_per_class))

    def epoch(self, number: int) -> Units:
        """Return the batches of an epoch; all classes come up equally often, up to one."""
        random = _generator(self._seed, number)
        needed = self.steps * self._classes
        rounds = -(-needed // len(self._rows))
        classes = np.concatenate([random.permutation(len(self._rows)) for _ in range(rounds)])
        rows = [self._sample(self._rows[code], random) for code in classes[:needed]]
        return np.concatenate(rows).reshape(self.steps, self._classes * self._samples, 1)

    def _sample(self, rows: Units, random: np.random.Generator) -> Units:
        return np.resize(random.permutation(rows), self._samples)


def pair_rows(queries: Sequence[str | None], gallery: Sequence[str | None]) -> Units:
    """Pair each query with the first gallery item of its label.

    Args:
        queries: the labels of the queries.
        gallery: the labels of the gallery.

    Returns:
        (queries, 2), rows that count the queries first and then the gallery.
    """
    first_row: dict[str | None, int] = {}
    for row, label in enumerate(gallery):
        first_row.setdefault(label, len(queries) + row)
    return np.array([[row, first_row[label]] for row, label in enumerate(queries)], np.int64)


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])
