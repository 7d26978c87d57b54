"""The mean of the means of subsets, by arithmetic."""

import numpy as np
import polars as pl
import pytest

from likewise.evaluation.significance import interval
from likewise.evaluation.weighted_mean import (
    subset_weights,
    weighted_by_subset,
    weighted_interval,
)


def test_subsets_have_one_weight_however_many_queries_they_have() -> None:
    values = np.array([1.0, 0.0, 0.0, 1.0, np.nan, 1.0])
    numbers = np.array([0, 0, 0, 1, 1, -1])
    weights = subset_weights(values, numbers)
    # Four queries are scored in two subsets of 3 and 1: 4 / (2 * 3) and 4 / (2 * 1).
    assert weights == pytest.approx([4 / 6, 4 / 6, 4 / 6, 2, 0, 0])
    mean = weighted_interval(values, np.arange(6), weights)
    assert mean.value == pytest.approx((1 / 3 + 1) / 2)
    assert (mean.queries, mean.classes) == (4, 4)
    weighted = weighted_by_subset(values, pl.Series(["a", "a", "a", "b", "b", None]))
    assert np.nanmean(weighted) == pytest.approx((1 / 3 + 1) / 2)
    assert np.isnan(weighted).tolist() == [False] * 4 + [True] * 2


def test_equal_weights_are_the_plain_interval() -> None:
    rng = np.random.default_rng(0)
    values, classes = rng.random(40), rng.integers(0, 8, 40)
    plain, weighted = (
        interval(values, classes),
        weighted_interval(values, classes, np.ones(40)),
    )
    assert vars(weighted) == pytest.approx(vars(plain))


def test_a_perfect_result_has_an_interval_of_one_point() -> None:
    weights = subset_weights(np.ones(9), np.array([0] * 8 + [1]))
    mean = weighted_interval(np.ones(9), np.arange(9), weights)
    assert (mean.low, mean.value, mean.high) == pytest.approx((1, 1, 1))
