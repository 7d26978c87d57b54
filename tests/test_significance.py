"""Intervals, paired tests and corrections, by hand and by their guarantees."""

import math

import numpy as np
import pytest

from likewise.evaluation.significance import (
    FLIPS,
    Interval,
    _expanded,
    bootstrap_statistic,
    holm,
    interval,
    paired_difference,
    randomisation_test,
    smallest_difference,
    standard_error,
)

RNG = np.random.default_rng(5)
CLASSES = np.repeat(np.arange(60), 5)
# Classes differ strongly, queries of one class hardly.
VALUES = np.clip(np.repeat(RNG.random(60), 5) + RNG.normal(0, 0.02, 300), 0, 1)


def test_the_mean_is_between_and_classes_are_what_is_drawn() -> None:
    found = interval(VALUES, CLASSES)
    assert found.value == pytest.approx(VALUES.mean())
    assert found.low < found.plain_low < found.value < found.plain_high < found.high
    assert (found.queries, found.classes) == (300, 60)
    # Five equal queries of a class count as one: the width is that of 60 means.
    alone = interval(VALUES[::5], np.arange(60))
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.05)
    assert found == interval(VALUES, CLASSES)


def test_each_in_a_class_of_its_own_is_the_plain_interval() -> None:
    found = interval(VALUES, np.arange(300))
    assert (found.low, found.high) == (found.plain_low, found.plain_high)


def test_what_is_not_scored_does_not_count() -> None:
    more = np.concatenate([VALUES, [np.nan] * 7])
    assert interval(more, np.concatenate([CLASSES, [3] * 7])) == interval(VALUES, CLASSES)


def test_classes_may_count_the_same_whatever_their_size() -> None:
    values, classes = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1])
    assert interval(values, classes).value == 3 / 4
    assert interval(values, classes, by_class=True).value == 1 / 2


def test_one_class_has_no_interval() -> None:
    found = interval(np.array([0.5, 0.7]), np.zeros(2, np.int64))
    assert math.isnan(found.low)
    plain = found.to_json()
    assert (plain["low"], plain["smallest_difference"]) == (None, None)


def test_a_constant_has_an_interval_of_no_width() -> None:
    found = interval(np.ones(20), np.arange(20) // 2)
    assert (found.low, found.value, found.high) == (1, 1, 1)
    assert found.smallest_difference == 0


def test_other_units() -> None:
    found = Interval(0.12345, 0.1, 0.2, 0.11, 0.19, 9, 3, 0.05).rescaled(100, 2)
    assert found == Interval(12.35, 10, 20, 11, 19, 9, 3, 5)


def test_the_standard_error_of_a_ratio_is_that_of_a_mean_of_single_units() -> None:
    error = standard_error(VALUES, np.ones(300))
    assert error == pytest.approx(VALUES.std(ddof=1) / np.sqrt(300))
    assert smallest_difference(error) == pytest.approx((1.959964 + 0.841621) * error, rel=1e-6)


def test_a_few_classes_are_flipped_in_all_ways() -> None:
    # Of the 2^4 sign patterns, the 2 with equal signs reach 4; with one flipped the sum is 2.
    assert randomisation_test(np.ones(4)) == 2 / 16
    assert randomisation_test(np.array([1.0, -1.0, 1.0, 0.0, -1.0])) == 1
    assert randomisation_test(np.zeros(3)) == 1


def test_many_classes_are_flipped_at_random_and_p_is_never_0() -> None:
    assert randomisation_test(np.ones(50)) == 1 / (1 + FLIPS)
    gains = RNG.normal(0, 1, 200)
    gains -= gains.mean()
    assert randomisation_test(gains) > 0.9


def test_a_difference_is_paired() -> None:
    better = VALUES + np.where(CLASSES % 2, 0.01, 0.005)
    found = paired_difference(VALUES, better, CLASSES)
    assert found.value == pytest.approx(0.0075)
    assert found.low > 0
    assert found.p == 1 / (1 + FLIPS)
    # Without pairing, differences between classes would hide this small one.
    assert found.smallest_difference < interval(VALUES, CLASSES).smallest_difference / 10


def test_holm() -> None:
    # Sorted: 0.01 * 4, 0.02 * 3, 0.03 * 2, 0.9 * 1; non-decreasing, at most 1.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("count", "quantile"),
    # t at 2.5 % for 1, 2, 4 and 9 degrees of freedom, from Student, Biometrika 6(1), 1908.
    [(2, -12.7062), (3, -4.30265), (5, -2.77645), (10, -2.26216)],
)
def test_a_few_units_are_as_uncertain_as_students_t(count: int, quantile: float) -> None:
    point = math.sqrt(count / (count - 1)) * quantile
    tail = math.erfc(-point / math.sqrt(2)) / 2
    assert _expanded(0.025, count) == pytest.approx(tail, rel=2e-3)


def test_any_statistic_can_be_resampled() -> None:
    low, high, smallest = bootstrap_statistic(
        lambda drawn: float(VALUES[::5][drawn].mean()), 60
    )
    alone = interval(VALUES[::5], np.arange(60))
    assert (low, high) == pytest.approx((alone.low, alone.high), abs=0.02)
    assert smallest == pytest.approx(alone.smallest_difference, rel=0.1)
    assert math.isnan(bootstrap_statistic(lambda drawn: 1.0, 1)[0])
