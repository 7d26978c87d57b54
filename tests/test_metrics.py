"""Metrics, by arithmetic that a reader can follow."""

import numpy as np
import pytest

from likewise.errors import DataError, UnknownNameError
from likewise.evaluation.metrics import (
    Denominator,
    average_precision,
    first_hit,
    measure,
)
from likewise.evaluation.metrics.hit_metrics import precision_at, recall_at
from likewise.evaluation.ranking import RelevantRanks

NAN = float("nan")


def ranked(
    *ranks: list[int], relevant: list[int], depth: int = 6, complete: bool = True
) -> RelevantRanks:
    offsets = np.cumsum([0, *(len(part) for part in ranks)])
    flat = np.array([rank for part in ranks for rank in part], np.int64)
    return RelevantRanks(offsets, flat, np.array(relevant), depth, complete)


TOY = ranked([1, 3, 4], relevant=[3])
"""Make the ranking 1, 0, 1, 1, 0, 0."""


@pytest.mark.parametrize("denominator", ["hits", "relevant"])
def test_average_precision_of_the_toy_ranking(denominator: Denominator) -> None:
    assert average_precision(TOY, denominator) == pytest.approx([(1 + 2 / 3 + 3 / 4) / 3])
    assert round(float(average_precision(TOY, denominator)[0]), 6) == 0.805556


def test_what_the_list_lacks_counts_only_in_the_class_size() -> None:
    short = ranked([1, 3, 4], [], [2], relevant=[5, 2, 0], depth=4, complete=False)
    total = 1 + 2 / 3 + 3 / 4
    assert average_precision(short, "hits") == pytest.approx([total / 3, 0, 1 / 2])
    assert average_precision(short, "relevant") == pytest.approx(
        [total / 5, 0, NAN], nan_ok=True
    )


def test_a_perfect_ranking_is_one() -> None:
    assert average_precision(ranked([1, 2, 3, 4], relevant=[4]), "relevant").tolist() == [1.0]


def test_empty_queries_at_both_ends_and_between() -> None:
    many = ranked([], [1], [], [], [2, 3], [], relevant=[1, 1, 0, 2, 2, 1])
    assert average_precision(many, "hits") == pytest.approx(
        [0, 1, 0, 0, (1 / 2 + 2 / 3) / 2, 0]
    )
    assert first_hit(many) == pytest.approx([NAN, 1, NAN, NAN, 2, NAN], nan_ok=True)


def test_no_query_at_all() -> None:
    none = ranked(relevant=[])
    assert len(average_precision(none, "hits")) == 0
    assert len(first_hit(none)) == 0
    assert len(recall_at(none, 1)) == 0


def test_precision_and_recall_at_a_rank() -> None:
    many = ranked([1, 3, 4], [2], [], [], relevant=[3, 1, 2, 0])
    assert precision_at(many, 1) == pytest.approx([1, 0, 0, NAN], nan_ok=True)
    assert precision_at(many, 4) == pytest.approx([3 / 4, 1 / 4, 0, NAN], nan_ok=True)
    assert recall_at(many, 1) == pytest.approx([1, 0, 0, NAN], nan_ok=True)
    assert recall_at(many, 2) == pytest.approx([1, 1, 0, NAN], nan_ok=True)
    assert precision_at(many, 12) == pytest.approx([3 / 12, 1 / 12, 0, NAN], nan_ok=True)


def test_lists_that_end_before_the_rank_are_refused() -> None:
    short = ranked([1], relevant=[3], depth=5, complete=False)
    assert recall_at(short, 5).tolist() == [1]
    with pytest.raises(
        DataError, match="rank 10 needs ranked lists of at least 10 items; these have 5"
    ):
        precision_at(short, 10)


def test_metrics_are_named_with_their_rank() -> None:
    assert measure("precision@3", TOY).tolist() == precision_at(TOY, 3).tolist()
    assert measure("recall@1", TOY).tolist() == [1]


@pytest.mark.parametrize(
    "name", ["recal@1", "recall", "recall@0", "recall@x", "@1", "", "map@r@1", "recall@²"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="no metric named"):
        measure(name, TOY)
