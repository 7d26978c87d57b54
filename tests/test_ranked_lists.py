"""Ranks of lists that an index returns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from likewise.evaluation.ranking import (
    Groups,
    rank_lists,
    rank_vectors,
)
from naive_ranking import NOBODY, of_lists, per_query, ranking, steady, whole


@steady
@given(st.integers(1, 40), st.integers(0, 10**6), st.booleans())
def test_full_lists_rank_as_their_vectors(count: int, seed: int, itself: bool) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY) if itself else np.arange(count)
    lists = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    found = of_lists(lists, labels, labels, exclude)
    of_vectors = ranking(vectors, vectors, labels, labels, exclude).ranked
    assert per_query(found) == per_query(of_vectors)
    assert found.relevant.tolist() == of_vectors.relevant.tolist()
    assert (found.depth, found.complete) == (of_vectors.depth, True)


@steady
@given(st.integers(2, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_short_lists_are_cut_rankings(count: int, length: int, seed: int) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY)
    lists = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    full = ranking(vectors, vectors, labels, labels, exclude).ranked
    short = of_lists(lists[:, :length], labels, labels, exclude)
    assert per_query(short) == per_query(full.truncated(length))
    assert short.complete == (length >= count)
    assert short.hit_counts().tolist() == [len(ranks) for ranks in per_query(short)]


def test_lists_without_the_query_are_whole_where_it_is_excluded() -> None:
    labels = np.array([0, 0, 1])
    lists = np.array([[1, 2], [2, 0], [0, 1]])
    ranked = of_lists(lists, labels, labels, np.arange(3))
    assert per_query(ranked) == [[1], [2], []]
    assert (ranked.depth, ranked.complete) == (2, True)
    kept = of_lists(lists, labels, labels, np.full(3, NOBODY))
    assert (kept.depth, kept.complete) == (2, False)


def test_an_excluded_item_moves_up_what_is_behind_it() -> None:
    labels = np.zeros(4, np.int64)
    ranked = of_lists(np.array([[1, 0, 2]]), labels[:1], labels, np.zeros(1, np.int64))
    assert (ranked.ranks.tolist(), ranked.relevant.tolist()) == ([1, 2], [3])


def test_several_groups_are_left_out_together_and_lists_may_end_early() -> None:
    many, labels = np.arange(6, 0, -1, dtype=np.float32)[:, None], np.zeros(6, np.int64)
    asked = np.ones((1, 1), np.float32)
    relevant = Groups.of([np.array([0, 2, 4])])
    left_out = [Groups.of([np.array([0, 1])]), Groups.of([np.array([1, 5])])]
    found = rank_vectors(asked, many, relevant, left_out, top=6)
    # 6 5 4 3 2 1 without 6, 5 and 1: 4 (row 2) is first, 2 (row 4) third.
    assert found.ranked.ranks.tolist() == [1, 3]
    assert (found.ranked.relevant.tolist(), found.ranked.depth) == ([2], 3)
    assert found.top_rows.tolist() == [[2, 3, 4, -1, -1, -1]]
    padded = rank_lists(np.array([[1, 3, 2, -1, -1]]), relevant, left_out, len(labels), top=3)
    assert padded.ranked.ranks.tolist() == [2]
    assert (padded.ranked.depth, padded.ranked.complete) == (2, False)
    assert padded.top_rows.tolist() == [[3, 2, -1]]
