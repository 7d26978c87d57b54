"""Samplers: the items of a batch depend only on the seed and the epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from likewise.errors import ConfigError
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training.batch_loader import share
from likewise.models.training.options import TrainingOptions
from likewise.models.training.pack_order import PackOrderSampler, item_sampler
from likewise.models.training.samplers import ClassBalancedSampler, ShuffledSampler, pair_rows
from likewise.models.training.schedule import learning_rate_factor
from likewise.models.training.training_data import TrainingData


def test_every_item_once_an_epoch_in_another_order_each_time() -> None:
    sampler = ShuffledSampler(10, 3, seed=5)
    first, second = sampler.epoch(0), sampler.epoch(1)
    assert sampler.steps == 3
    assert first.shape == (3, 3, 1)
    assert len(np.unique(first)) == 9
    assert not np.array_equal(first, second)
    assert np.array_equal(ShuffledSampler(10, 3, seed=5).epoch(1), second)
    assert not np.array_equal(ShuffledSampler(10, 3, seed=6).epoch(1), second)


def test_fewer_items_than_a_batch_are_one_batch() -> None:
    assert ShuffledSampler(3, 8, seed=0).epoch(0).shape == (1, 3, 1)


def test_the_same_number_of_every_class() -> None:
    labels = [0] * 5 + [1] * 2 + [2] * 9 + [3] * 4
    sampler = ClassBalancedSampler(labels, batch=6, samples_per_class=3, seed=0)
    for batch in sampler.epoch(0):
        codes = np.array(labels)[batch.ravel()]
        assert sorted(np.bincount(codes, minlength=4).tolist()) == [0, 0, 3, 3]
    assert sampler.steps == 20 // 6


def test_classes_take_turns() -> None:
    labels = np.repeat(np.arange(8), 4)
    chosen = ClassBalancedSampler(labels.tolist(), batch=8, samples_per_class=4, seed=1).epoch(
        3
    )
    assert np.array_equal(np.unique(labels[chosen.ravel()]), np.arange(8))


def test_a_query_is_paired_with_the_first_gallery_item_of_its_label() -> None:
    found = pair_rows(["a", "b", "a"], ["b", "a", "a", "c"])
    assert found.tolist() == [[0, 3 + 1], [1, 3 + 0], [2, 3 + 1]]


def test_packs_are_read_in_order_by_every_process() -> None:
    """The places in the order of the packs are the rows; a process reads runs of them."""
    sampler = PackOrderSampler(np.arange(5000), 192, seed=3)
    first, second = sampler.epoch(0), sampler.epoch(1)
    assert first.shape == (sampler.steps, 192, 1) == (5000 // 192, 192, 1)
    assert len(np.unique(first)) == first.size
    assert not np.array_equal(first, second)
    assert np.array_equal(PackOrderSampler(np.arange(5000), 192, seed=3).epoch(1), second)
    assert not np.array_equal(PackOrderSampler(np.arange(5000), 192, seed=4).epoch(1), second)
    shards = np.repeat(np.arange(64), [len(p) for p in np.array_split(np.arange(5000), 64)])
    for world in (1, 2, 4, 64):
        own = [
            np.stack([share(batch, rank, world) for batch in first]) for rank in range(world)
        ]
        read = [set(shards[part.ravel()].tolist()) for part in own]
        assert sum(map(len, read)) == len(set.union(*read)) == 64
    lane = first[:, :3].ravel()  # one lane: a shard from a random place on
    assert sorted(np.diff(lane))[1:] == [1] * (len(lane) - 2)


def test_a_batch_of_all_items_is_read_in_the_order_of_the_packs() -> None:
    """2 x 1,031 items have two lanes; shards of 1,024 items would not fill the batch."""
    sampler = PackOrderSampler(np.arange(2 * 1031), 4096, seed=0)
    assert np.array_equal(np.sort(sampler.epoch(0).ravel()), np.arange(2 * 1031))


def test_the_order_of_packs_is_that_of_the_images_table() -> None:
    rows = [5, 3, 8, 1, 9, 0]
    items = pl.DataFrame({"item_id": list("abcdef"), "row": rows})
    data = TrainingData("a", items, items, Path("images.lance"))
    plan: dict[str, Any] = {"init": "a", "data": "b", "batch": 1}
    epoch = item_sampler(TrainingOptions(**plan, order="packs"), data, 0).epoch(0).ravel()
    stored = [rows[number] for number in epoch]
    assert sorted(epoch.tolist()) == list(range(6))
    start = stored.index(0)
    assert stored[start:] + stored[:start] == sorted(rows)
    assert isinstance(item_sampler(TrainingOptions(**plan), data, 0), ShuffledSampler)


def test_packs_need_units_of_one_item() -> None:
    options = {"kind": "metric", "init": "a", "data": "b", "order": "packs"}
    with pytest.raises(ConfigError, match="order: packs is an option of classify, distill"):
        RECIPES.build(options, "params.yaml: trained.m")
    classify = RECIPES.build({**options, "kind": "classify"}, "params.yaml: trained.m")
    assert isinstance(classify, TrainedRecipe)
    assert classify.entry()["order"] == "packs"
    plain = RECIPES.build({"kind": "classify", "init": "a", "data": "b"}, "params.yaml")
    assert isinstance(plain, TrainedRecipe)
    assert "order" not in plain.entry()


def test_schedules() -> None:
    plan: dict[str, Any] = {"init": "a", "data": "b", "epochs": 10}
    cosine = TrainingOptions(**plan, warmup=1)
    assert learning_rate_factor(cosine, 0, 4) == 1 / 5
    assert learning_rate_factor(cosine, 4, 4) == 1
    assert learning_rate_factor(cosine, 4 + 36 // 2, 4) == 0.5
    assert learning_rate_factor(cosine, 40, 4) == 0
    step = TrainingOptions(**plan, schedule="step", step_size=2, gamma=0.5)
    assert [learning_rate_factor(step, n * 4, 4) for n in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert learning_rate_factor(TrainingOptions(**plan, schedule="constant"), 39, 4) == 1
