"""Ranks by counting agree with ranks by sorting, for all ties and classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.evaluation.ranking import (
    Groups,
    rank_lists,
)
from likewise.formats.array_types import Float32Array, Int64Array
from naive_ranking import NOBODY, naive, of_lists, per_query, ranking, steady, whole


@steady
@given(st.integers(1, 60), st.integers(0, 10**6), st.booleans())
def test_counting_is_sorting(count: int, seed: int, itself: bool) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY) if itself else np.arange(count)
    ranked = ranking(vectors, vectors, labels, labels, exclude).ranked
    expected = naive(vectors @ vectors.T, labels, labels, exclude)
    assert per_query(ranked) == expected
    assert ranked.relevant.tolist() == [len(ranks) for ranks in expected]
    assert ranked.complete
    assert ranked.depth == (count if itself else count - 1)


@steady
@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 10**6))
def test_queries_need_not_be_of_the_gallery(count: int, queries: int, seed: int) -> None:
    gallery, labels = whole(count, seed)
    asked, asked_labels = whole(queries, seed + 1)
    exclude = np.random.default_rng(seed).integers(-1, count, queries)
    ranked = ranking(asked, gallery, asked_labels, labels, exclude).ranked
    assert per_query(ranked) == naive(asked @ gallery.T, asked_labels, labels, exclude)


def test_many_blocks_and_progress() -> None:
    vectors, labels = whole(1_100, 1, spread=2)
    seen: list[tuple[int, int]] = []
    exclude = np.arange(1_100)
    ranked = ranking(
        vectors, vectors, labels, labels, exclude, lambda *at: seen.append(at)
    ).ranked
    assert per_query(ranked) == naive(vectors @ vectors.T, labels, labels, exclude)
    assert seen == [(1_024, 1_100), (1_100, 1_100)]


@pytest.mark.parametrize("left_out", [NOBODY, 5, 1_650])
def test_large_classes_are_sorted(left_out: int) -> None:
    vectors, _ = whole(1_700, 2)
    labels = np.repeat([0, 1], [1_600, 100])
    asked, asked_labels = vectors[[5, 1_650]], np.array([0, 1])
    exclude = np.full(2, left_out)
    ranked = ranking(asked, vectors, asked_labels, labels, exclude).ranked
    assert per_query(ranked) == naive(asked @ vectors.T, asked_labels, labels, exclude)


@steady
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30, unique=True))
def test_only_the_order_of_the_scores_counts(scores: list[int]) -> None:
    row = np.array(scores, np.float32)[:, None]
    labels = np.arange(len(scores)) % 3
    exclude = np.full(1, NOBODY)

    def ranks(gallery: Float32Array, classes: Int64Array) -> list[int]:
        asked, zero = np.ones((1, 1), np.float32), np.zeros(1, np.int64)
        found: list[int] = ranking(asked, gallery, zero, classes, exclude).ranked.ranks.tolist()
        return found

    expected = ranks(row, labels)
    assert ranks(row * 3 - 7, labels) == expected
    assert ranks(np.sign(row) * row**2, labels) == expected
    shuffled = np.random.default_rng(len(scores)).permutation(len(scores))
    assert ranks(row[shuffled], labels[shuffled]) == expected


def test_equal_scores_are_in_row_order() -> None:
    gallery = np.ones((4, 1), np.float32)
    labels = np.array([1, 0, 1, 0])
    zero = np.zeros(1, np.int64)
    ranked = ranking(gallery[:1], gallery, zero, labels, np.full(1, NOBODY)).ranked
    assert ranked.ranks.tolist() == [2, 4]
    ranked = ranking(gallery[:1], gallery, zero, labels, np.full(1, 0)).ranked
    assert ranked.ranks.tolist() == [1, 3]


def test_no_queries() -> None:
    none = np.zeros((0, 2), np.float32)
    labels = np.zeros(0, np.int64)
    ranked = ranking(none, none, labels, labels, labels).ranked
    assert (len(ranked), ranked.ranks.tolist(), ranked.offsets.tolist()) == (0, [], [0])
    ranked = of_lists(np.zeros((0, 3), np.int64), labels, labels, labels)
    assert (len(ranked), ranked.depth) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "exclude"),
    [([0, 1, 1], [0, 1]), ([0, 1], [0]), ([0, 1], [0, 2])],
)
def test_what_does_not_fit_is_refused(labels: list[int], exclude: list[int]) -> None:
    vectors = np.ones((2, 1), np.float32)
    with pytest.raises(ValueError, match=r"group|outside"):
        ranking(vectors, vectors, np.array([0, 1]), np.array(labels), np.array(exclude))


@steady
@given(st.integers(1, 50), st.integers(0, 10**6))
def test_items_and_first_hits_are_those_of_sorting(count: int, seed: int) -> None:
    many, labels = whole(count, seed)
    exclude = np.random.default_rng(seed).integers(-1, count, count)
    found = ranking(many, many, labels, labels, exclude)
    scores = many @ many.T
    scores[exclude >= 0, exclude[exclude >= 0]] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")
    rankable = count - (exclude >= 0)
    for row in range(count):
        mine = slice(*found.ranked.offsets[row : row + 2])
        assert order[row][found.ranked.ranks[mine] - 1].tolist() == found.items[mine].tolist()
        first = found.top_rows[row][found.top_rows[row] >= 0]
        assert first.tolist() == order[row][: min(7, rankable[row])].tolist()
        assert found.top_scores[row][: len(first)].tolist() == scores[row][first].tolist()
    lists = rank_lists(
        np.argsort(-(many @ many.T), axis=1, kind="stable"),
        Groups.alike(labels, labels),
        [Groups.one(exclude)],
        count,
        scores=np.sort(-(many @ many.T), axis=1) * -1,
        top=7,
    )
    assert lists.items.tolist() == found.items.tolist()
    assert lists.top_rows[:, : found.top_rows.shape[1]].tolist() == found.top_rows.tolist()
    given = lists.top_scores[:, : found.top_scores.shape[1]]
    assert np.array_equal(given, found.top_scores, equal_nan=True)


def test_groups_share_the_rows_of_a_class() -> None:
    groups = Groups.alike(np.array([1, 0, 1, -1, 5]), np.array([0, 1, 0, -1, 1]))
    assert groups.sizes().tolist() == [2, 2, 2, 0, 0]
    assert [part.tolist() for part in groups.pairs()] == [
        [0, 0, 1, 1, 2, 2],
        [1, 4, 0, 2, 1, 4],
    ]
    assert [part.tolist() for part in groups.part(slice(1, 3)).pairs()] == [
        [0, 0, 1, 1],
        [0, 2, 1, 4],
    ]
