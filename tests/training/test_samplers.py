"""Samplers: the items of a batch depend only on the seed and the epoch."""

from typing import Any

import numpy as np

from likewise.models.training.options import TrainingOptions
from likewise.models.training.samplers import ClassBalancedSampler, ShuffledSampler, pair_rows
from likewise.models.training.schedule import learning_rate_factor


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
