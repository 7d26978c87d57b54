"""Which items make a batch: shuffled, so many of a class, or pairs.

A sampler has no state: what an epoch holds hangs on the seed and the epoch's number alone, so
that a training resumes in the middle of one by counting. A unit is what goes to one process
whole: an item, or a pair.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Units = npt.NDArray[np.int64]


class Sampler(Protocol):
    """What every sampler promises."""

    steps: int
    """Batches an epoch."""
    group: int
    """Neighbouring units of a batch that belong together: so many are of one class."""

    def epoch(self, number: int) -> Units:
        """The batches of an epoch: (steps, units a batch, items a unit), rows of items."""
        ...


class Shuffled:
    """Every item once an epoch, but a rest that does not fill a batch."""

    group = 1

    def __init__(self, units: Units | int, batch: int, seed: int) -> None:
        """Take the units, (n, items), or how many items there are."""
        self._units = np.arange(units)[:, None] if isinstance(units, int) else units
        self._batch = min(batch, len(self._units))
        self._seed = seed
        self.steps = len(self._units) // self._batch

    def epoch(self, number: int) -> Units:
        """The batches of an epoch."""
        order = _random(self._seed, number).permutation(len(self._units))
        chosen = self._units[order[: self.steps * self._batch]]
        return chosen.reshape(self.steps, self._batch, -1)


class Balanced:
    """Batches of ``batch // each`` classes with ``each`` items of every one of them.

    A class with fewer items gives some of them twice. Where there are fewer classes than a
    batch takes, it has all of them, and is smaller.
    """

    def __init__(self, labels: Sequence[int], batch: int, each: int, seed: int) -> None:
        """Take every item's class."""
        codes = np.asarray(labels)
        self._rows = [np.flatnonzero(codes == code) for code in np.unique(codes)]
        self._classes = max(1, min(batch // each, len(self._rows)))
        self._each = self.group = each
        self._seed = seed
        self.steps = max(1, len(codes) // (self._classes * each))

    def epoch(self, number: int) -> Units:
        """The batches of an epoch; the classes take turns."""
        random = _random(self._seed, number)
        needed = self.steps * self._classes
        rounds = -(-needed // len(self._rows))
        turns = np.concatenate([random.permutation(len(self._rows)) for _ in range(rounds)])
        rows = [self._some(self._rows[code], random) for code in turns[:needed]]
        return np.concatenate(rows).reshape(self.steps, self._classes * self._each, 1)

    def _some(self, rows: Units, random: np.random.Generator) -> Units:
        return np.resize(random.permutation(rows), self._each)


def pairs(queries: Sequence[str | None], gallery: Sequence[str | None]) -> Units:
    """(queries, 2): each query's row, and that of the gallery item of its label.

    Rows count the queries first and then the gallery; where a label has several gallery items
    the first is taken.
    """
    place: dict[str | None, int] = {}
    for row, label in enumerate(gallery):
        place.setdefault(label, len(queries) + row)
    return np.array([[row, place[label]] for row, label in enumerate(queries)], np.int64)


def _random(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])
