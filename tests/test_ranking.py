"""Ranks by counting agree with ranks by sorting, whatever ties and classes there are."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise import ranking
from likewise.ranking import Floats, Ints, Ranked, rank_positives, ranks_from_lists

NOBODY = -1

steady = settings(deadline=None)


def naive(scores: Floats, query_labels: Ints, labels: Ints, exclude: Ints) -> list[list[int]]:
    """Each query's ranks by sorting everything: score descending, then row ascending."""
    found = []
    for row, label, left_out in zip(scores, query_labels, exclude, strict=True):
        order = np.lexsort((np.arange(len(row)), -row))
        order = order[order != left_out]
        found.append((np.flatnonzero((labels[order] == label) & (label >= 0)) + 1).tolist())
    return found


def per_query(ranked: Ranked) -> list[list[int]]:
    return [part.tolist() for part in np.split(ranked.ranks, ranked.offsets[1:-1])]


def whole(count: int, seed: int, spread: int = 3) -> tuple[Floats, Ints]:
    """Vectors of few small whole numbers: products are exact, many tie, many are negative."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-spread, spread + 1, (count, 4)).astype(np.float32)
    return vectors, rng.integers(-1, max(count // 8, 1), count)


@steady
@given(st.integers(1, 60), st.integers(0, 10**6), st.booleans())
def test_counting_is_sorting(count: int, seed: int, itself: bool) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY) if itself else np.arange(count)
    ranked = rank_positives(vectors, vectors, labels, labels, exclude=exclude)
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
    ranked = rank_positives(asked, gallery, asked_labels, labels, exclude=exclude)
    assert per_query(ranked) == naive(asked @ gallery.T, asked_labels, labels, exclude)


def test_many_blocks_and_progress() -> None:
    vectors, labels = whole(1_100, 1, spread=2)
    seen: list[tuple[int, int]] = []
    exclude = np.arange(1_100)
    ranked = rank_positives(
        vectors, vectors, labels, labels, exclude=exclude, progress=lambda *at: seen.append(at)
    )
    assert per_query(ranked) == naive(vectors @ vectors.T, labels, labels, exclude)
    assert seen == [(1_024, 1_100), (1_100, 1_100)]


@pytest.mark.parametrize("left_out", [NOBODY, 5, 1_650])
def test_large_classes_are_sorted(left_out: int) -> None:
    vectors, _ = whole(1_700, 2)
    labels = np.repeat([0, 1], [1_600, 100])
    asked, asked_labels = vectors[[5, 1_650]], np.array([0, 1])
    exclude = np.full(2, left_out)
    ranked = rank_positives(asked, vectors, asked_labels, labels, exclude=exclude)
    assert per_query(ranked) == naive(asked @ vectors.T, asked_labels, labels, exclude)


def test_the_kernel_is_also_plain_python() -> None:
    vectors, labels = whole(30, 3)
    order = np.argsort(labels, kind="stable")
    begins = np.searchsorted(labels[order], labels)
    ends = np.searchsorted(labels[order], labels, side="right")
    scores, exclude = vectors @ vectors.T, np.arange(30)
    offsets = np.concatenate([[0], np.cumsum(ends - begins - 1)])
    ranks = np.zeros(offsets[-1], np.int64)
    ranking._count(np.arange(30), (scores, order, begins, ends, exclude, offsets), ranks)
    compiled = np.zeros_like(ranks)
    block = (scores, order, begins, ends, exclude, offsets)
    ranking._counting()(np.arange(30), block, compiled)
    assert ranks.tolist() == compiled.tolist()


@steady
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30, unique=True))
def test_only_the_order_of_the_scores_counts(scores: list[int]) -> None:
    row = np.array(scores, np.float32)[:, None]
    labels = np.arange(len(scores)) % 3
    exclude = np.full(1, NOBODY)

    def ranks(gallery: Floats, classes: Ints) -> list[int]:
        asked, zero = np.ones((1, 1), np.float32), np.zeros(1, np.int64)
        found: list[int] = rank_positives(
            asked, gallery, zero, classes, exclude=exclude
        ).ranks.tolist()
        return found

    expected = ranks(row, labels)
    assert ranks(row * 3 - 7, labels) == expected
    assert ranks(np.sign(row) * row**2, labels) == expected
    shuffled = np.random.default_rng(len(scores)).permutation(len(scores))
    assert ranks(row[shuffled], labels[shuffled]) == expected


def test_equal_scores_stand_in_row_order() -> None:
    gallery = np.ones((4, 1), np.float32)
    labels = np.array([1, 0, 1, 0])
    zero = np.zeros(1, np.int64)
    ranked = rank_positives(gallery[:1], gallery, zero, labels, exclude=np.full(1, NOBODY))
    assert ranked.ranks.tolist() == [2, 4]
    ranked = rank_positives(gallery[:1], gallery, zero, labels, exclude=np.full(1, 0))
    assert ranked.ranks.tolist() == [1, 3]


def test_no_queries() -> None:
    none = np.zeros((0, 2), np.float32)
    labels = np.zeros(0, np.int64)
    ranked = rank_positives(none, none, labels, labels, exclude=labels)
    assert (len(ranked), ranked.ranks.tolist(), ranked.offsets.tolist()) == (0, [], [0])
    ranked = ranks_from_lists(np.zeros((0, 3), np.int64), labels, labels, exclude=labels)
    assert (len(ranked), ranked.depth) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "exclude"),
    [([0, 1, 2], [0, 1]), ([0, 1], [0]), ([0, 1], [0, 2]), ([0, 1], [-2, 0])],
)
def test_what_does_not_fit_is_refused(labels: list[int], exclude: list[int]) -> None:
    vectors = np.ones((2, 1), np.float32)
    with pytest.raises(ValueError, match=r"label|outside"):
        rank_positives(
            vectors, vectors, np.array([0, 1]), np.array(labels), exclude=np.array(exclude)
        )


@steady
@given(st.integers(1, 40), st.integers(0, 10**6), st.booleans())
def test_full_lists_rank_as_their_vectors(count: int, seed: int, itself: bool) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY) if itself else np.arange(count)
    lists = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    of_lists = ranks_from_lists(lists, labels, labels, exclude=exclude)
    of_vectors = rank_positives(vectors, vectors, labels, labels, exclude=exclude)
    assert per_query(of_lists) == per_query(of_vectors)
    assert of_lists.relevant.tolist() == of_vectors.relevant.tolist()
    assert (of_lists.depth, of_lists.complete) == (of_vectors.depth, True)


@steady
@given(st.integers(2, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_short_lists_are_cut_rankings(count: int, length: int, seed: int) -> None:
    vectors, labels = whole(count, seed)
    exclude = np.full(count, NOBODY)
    lists = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")
    full = rank_positives(vectors, vectors, labels, labels, exclude=exclude)
    short = ranks_from_lists(lists[:, :length], labels, labels, exclude=exclude)
    assert per_query(short) == per_query(full.cut(length))
    assert short.complete == (length >= count)
    assert short.hits().tolist() == [len(ranks) for ranks in per_query(short)]


def test_lists_without_the_query_are_whole_where_it_is_excluded() -> None:
    labels = np.array([0, 0, 1])
    lists = np.array([[1, 2], [2, 0], [0, 1]])
    ranked = ranks_from_lists(lists, labels, labels, exclude=np.arange(3))
    assert per_query(ranked) == [[1], [2], []]
    assert (ranked.depth, ranked.complete) == (2, True)
    kept = ranks_from_lists(lists, labels, labels, exclude=np.full(3, NOBODY))
    assert (kept.depth, kept.complete) == (2, False)


def test_an_excluded_item_moves_up_what_is_behind_it() -> None:
    labels = np.zeros(4, np.int64)
    ranked = ranks_from_lists(
        np.array([[1, 0, 2]]), labels[:1], labels, exclude=np.zeros(1, np.int64)
    )
    assert (ranked.ranks.tolist(), ranked.relevant.tolist()) == ([1, 2], [3])


def test_importing_it_does_not_load_numba() -> None:
    check = "import sys, likewise.ranking; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_it_also_counts_where_nothing_can_be_cached(tmp_path: Path) -> None:
    # The file of the function is not a file, as in a frozen application.
    source = Path(ranking.__file__).read_text(encoding="utf-8")
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, types\n"
        f"code = compile({source!r}, '<memory>', 'exec')\n"
        "module = types.ModuleType('memory'); sys.modules['memory'] = module\n"
        "exec(code, module.__dict__)\n"
        "import numpy as np\n"
        "one = np.ones((2, 1), np.float32); labels = np.zeros(2, np.int64)\n"
        "found = module.rank_positives(one, one, labels, labels, exclude=np.arange(2))\n"
        "assert found.ranks.tolist() == [1, 1]\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, str(script)], check=True)
