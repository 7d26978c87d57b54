"""Compiled and plain loops, blocks, memory and threads give the same ranks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from likewise.evaluation.ranking import (
    BlockedGallery,
    BlockedQueries,
    Groups,
    compiled_kernels,
    from_blocks,
    from_vectors,
    plain_kernels,
    rank_blocks,
    rank_vectors,
    tile_ranks,
)
from naive_ranking import NOBODY, naive, per_query, ranking, steady, whole


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
        patch.setattr(from_blocks, "TILE_ROWS", tile)
        patch.setattr(tile_ranks, "_MANY_RELEVANT", many)
        for module in (from_blocks, tile_ranks):
            patch.setattr(module, "TILE_QUERIES", 4)
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
