"""Ranks by counting agree with ranks by sorting, for all ties and classes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from likewise.evaluation.ranking import (
    BlockedGallery,
    BlockedQueries,
    Groups,
    Progress,
    Ranking,
    RelevantRanks,
    compiled_kernels,
    from_blocks,
    from_vectors,
    plain_kernels,
    rank_blocks,
    rank_lists,
    rank_vectors,
)
from likewise.formats.array_types import Float32Array, Int64Array

NOBODY = -1

steady = settings(deadline=None, max_examples=50)


def naive(
    scores: Float32Array, query_labels: Int64Array, labels: Int64Array, exclude: Int64Array
) -> list[list[int]]:
    """Rank by sorting everything: score descending, then row ascending."""
    found = []
    for row, label, left_out in zip(scores, query_labels, exclude, strict=True):
        order = np.lexsort((np.arange(len(row)), -row))
        order = order[order != left_out]
        found.append((np.flatnonzero((labels[order] == label) & (label >= 0)) + 1).tolist())
    return found


def ranking(
    queries: Float32Array,
    gallery: Float32Array,
    query_labels: Int64Array,
    labels: Int64Array,
    exclude: Int64Array,
    progress: Progress | None = None,
) -> Ranking:
    """Items with the label of the query are relevant; one item per query may be left out."""
    relevant = Groups.alike(query_labels, labels)
    left_out = [Groups.one(exclude)]
    return rank_vectors(queries, gallery, relevant, left_out, top=7, progress=progress)


def of_lists(
    lists: Int64Array, query_labels: Int64Array, labels: Int64Array, exclude: Int64Array
) -> RelevantRanks:
    relevant = Groups.alike(query_labels, labels)
    return rank_lists(lists, relevant, [Groups.one(exclude)], len(labels)).ranked


def per_query(ranked: RelevantRanks) -> list[list[int]]:
    return [part.tolist() for part in np.split(ranked.ranks, ranked.offsets[1:-1])]


def whole(count: int, seed: int, spread: int = 3) -> tuple[Float32Array, Int64Array]:
    """Draw vectors of small integers: products are exact, many are equal, many negative."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-spread, spread + 1, (count, 4)).astype(np.float32)
    return vectors, rng.integers(-1, max(count // 8, 1), count)


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


@pytest.mark.parametrize("count", [5, 30, 700])
def test_numpy_and_compiled_loops_agree(count: int) -> None:
    many, labels = whole(count, 3)
    relevant = Groups.alike(labels, labels)
    scores = many @ many.T
    scores[np.arange(count), np.arange(count)] = -np.inf
    begins = np.concatenate([[0], np.cumsum(relevant.sizes())])
    block = (scores, relevant.rows, relevant.begins, relevant.ends, begins[:-1])
    found = []
    compiled = compiled_kernels.compiled
    for rank, keep in (
        (plain_kernels.rank_by_counting, plain_kernels.keep_best),
        (compiled(compiled_kernels.rank_by_counting), compiled(compiled_kernels.keep_best)),
    ):
        ranks, rows = np.zeros(begins[-1], np.int64), np.zeros((count, 4), np.int64)
        best = np.zeros((count, 4), np.float32)
        for part in np.array_split(np.arange(count), 3):  # as several threads do
            rank(part, block, ranks)
            keep(part[::2], scores, rows, best)
            keep(part[1::2], scores, rows, best)
        found.append((ranks.tolist(), rows.tolist(), best.tolist()))
    assert found[0] == found[1]
    assert found[0][1] == np.argsort(-scores, axis=1, kind="stable")[:, :4].tolist()


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


def test_few_scores_are_ranked_without_numba() -> None:
    check = (
        "import sys, numpy as np\n"
        "from likewise.evaluation.ranking import Groups, rank_vectors\n"
        "one = np.ones((2, 1), np.float32); labels = np.zeros(2, np.int64)\n"
        "rank_vectors(one, one, Groups.alike(labels, labels), top=2)\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize("work", [0, 1 << 62])
def test_the_results_do_not_depend_on_numba(monkeypatch: pytest.MonkeyPatch, work: int) -> None:
    monkeypatch.setattr(from_vectors, "_PLAIN_WORK", work)
    many, labels = whole(40, 5)
    found = ranking(many, many, labels, labels, np.arange(40))
    scores = many @ many.T
    assert per_query(found.ranked) == naive(scores, labels, labels, np.arange(40))


def test_it_also_counts_where_nothing_can_be_cached(tmp_path: Path) -> None:
    # The function has no source file, as in a frozen application.
    source = Path(compiled_kernels.__file__).read_text(encoding="utf-8")
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, types\n"
        f"code = compile({source!r}, '<memory>', 'exec')\n"
        "module = types.ModuleType('memory'); sys.modules['memory'] = module\n"
        "exec(code, module.__dict__)\n"
        "import numpy as np\n"
        "scores, rows = np.ones((2, 2), np.float32), np.arange(2)\n"
        "ranks = np.zeros(4, np.int64)\n"
        "block = scores, rows, rows * 0, rows * 0 + 2, rows * 2\n"
        "module.compiled(module.rank_by_counting)(rows, block, ranks)\n"
        "assert ranks.tolist() == [1, 2, 1, 2]\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, str(script)], check=True)


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


@steady
@given(
    st.integers(1, 200),
    st.integers(1, 40),
    st.sampled_from([0, 3, 1000]),
    st.integers(0, 10**6),
)
def test_a_gallery_in_blocks_is_ranked_like_the_whole(
    count: int, tile: int, many: int, seed: int
) -> None:
    gallery, labels = whole(count, seed)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, count, 30)
    queries, relevant = gallery[chosen], Groups.alike(labels[chosen], labels)
    left_out = [
        Groups.one(np.where(rng.random(30) < 0.7, chosen, NOBODY)),
        Groups.one(np.where(rng.random(30) < 0.3, rng.integers(0, count, 30), NOBODY)),
    ]
    expected = rank_vectors(queries, gallery, relevant, left_out, top=7)
    seen: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("TILE_ROWS", tile), ("TILE_QUERIES", 4), ("_MANY_RELEVANT", many)):
            patch.setattr(from_blocks, name, value)
        found = rank_blocks(
            BlockedQueries(30, lambda part: queries[part], part=12),
            BlockedGallery(
                count, lambda: (gallery[at : at + tile] for at in range(0, count, tile))
            ),
            relevant,
            left_out,
            top=7,
            progress=lambda *at: seen.append(at),
        )
    assert per_query(found.ranked) == per_query(expected.ranked)
    assert found.items.tolist() == expected.items.tolist()
    assert found.top_rows.tolist() == expected.top_rows.tolist()
    assert np.array_equal(found.top_scores, expected.top_scores, equal_nan=True)
    assert found.ranked.depth == expected.ranked.depth
    assert seen == sorted(seen)
    assert seen[-1] == (30, 30)


@pytest.mark.parametrize("threads", [1, 3])
def test_neither_memory_nor_threads_change_a_bit_of_a_score(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((9_000, 33), np.float32)
    queries, labels = gallery[:600], np.arange(9_000) // 6
    results = []
    for part in (256, 600):
        monkeypatch.setattr(from_blocks, "thread_count", lambda: threads)
        found = rank_blocks(
            BlockedQueries(600, lambda chosen: queries[chosen], part),
            BlockedGallery(9_000, lambda: (gallery[at : at + 8192] for at in (0, 8192))),
            Groups.alike(labels[:600], labels),
            top=5,
        )
        results.append(found)
    one, other = results
    assert (one.top_scores == other.top_scores).all()
    assert (one.ranked.ranks == other.ranked.ranks).all()
    first, second = gallery[:8192], gallery[8192:]
    with threadpool_limits(1, "blas"):
        tiles = [
            np.hstack([part @ first.T, part @ second.T])
            for part in (queries[:256], queries[256:512], queries[512:])
        ]
    scores = np.vstack(tiles)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    assert (one.top_rows == order).all()
    assert (one.top_scores == np.take_along_axis(scores, order, axis=1)).all()
    assert (order < 8192).any()
    assert (order >= 8192).any()
