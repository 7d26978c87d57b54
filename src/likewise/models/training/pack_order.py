"""Batches whose images are read in the order of the packs, inside shuffled shards.

A shard is a run of items in the order in which the images are stored. Every epoch deals the
shuffled shards to lanes; a batch takes the next items of every lane. A process of a training
takes whole lanes, so it reads its own shards, each from one place to the next.
"""

import numpy as np
import polars as pl

from likewise.models.training.options import TrainingOptions
from likewise.models.training.samplers import Sampler, ShuffledSampler, Units
from likewise.models.training.training_data import PART, TrainingData

LANES = 64
"""Maximum number of lanes: of shards that a batch mixes."""

SHARD_ITEMS = 1024
"""Items of a shard, at most; a small data set has one shard per lane."""


class PackOrderSampler:
    """Every item at most once per epoch, from shuffled shards; see the module.

    The batches do not depend on the number of processes. The items of an epoch that fill no
    batch are dropped: fewer than a batch, and fewer than one item per shard.
    """

    group = 1

    def __init__(self, rows: Units, batch: int, seed: int) -> None:
        """Take the items.

        Args:
            rows: (n,) all items, in the order in which their images are stored.
            batch: items per batch.
            seed: the seed of the order.
        """
        self._batch = min(batch, len(rows))
        self._seed = seed
        most = min(self._batch, LANES)
        self._lanes = next(n for n in range(most, 0, -1) if self._batch % n == 0)
        each = max(-(-len(rows) // (self._lanes * SHARD_ITEMS)), 1)
        self._run = self._batch // self._lanes
        if each * (len(rows) // (self._lanes * each)) < self._run:
            each = 1  # the shortest lane would not fill the only batch
        self._shards = np.array_split(rows, self._lanes * each)
        # A lane may get the shortest shards only, so that its length does not depend on chance.
        self.steps = max(each * len(self._shards[-1]) // self._run, 1)

    def epoch(self, number: int) -> Units:
        """Return the batches of an epoch: (steps, batch, 1)."""
        random = np.random.default_rng([self._seed, number])
        order = random.permutation(len(self._shards)).reshape(self._lanes, -1)
        lanes = [np.concatenate([self._turned(n, random) for n in own]) for own in order]
        length = self.steps * self._run
        runs = np.stack([lane[:length].reshape(self.steps, self._run) for lane in lanes], 1)
        return runs.reshape(self.steps, self._batch, 1)

    def _turned(self, shard: int, random: np.random.Generator) -> Units:
        """Return a shard from a random place on, and then its beginning."""
        rows = self._shards[shard]
        return np.roll(rows, -int(random.integers(max(len(rows), 1))))


def item_sampler(options: TrainingOptions, data: TrainingData, seed: int) -> Sampler:
    """Return the sampler of a training in which every item is a unit.

    Args:
        options: ``batch`` and ``order``.
        data: the items.
        seed: the seed of the order.
    """
    if options.order == "shuffled":
        return ShuffledSampler(len(data), options.batch, seed)
    names = [PART] if PART in data.items.columns else []
    stored = data.items.with_row_index("number").sort(*names, "row", "number")["number"]
    return PackOrderSampler(stored.cast(pl.Int64).to_numpy(), options.batch, seed)
