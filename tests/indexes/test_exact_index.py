"""The exact index equals sorting, including ties, for every block size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galleries import Floats, build, clustered, truth, unit
from likewise.retrieval.indexes.base import NONE, Vectors

BOUNDS = (
    "exact_search._BLOCK_BYTES",
    "exact_search._CACHED_BYTES",
    "exact_blocks._BLOCK_BYTES",
    "exact_blocks._WIDE_BYTES",
    "exact._WHOLE_BYTES",
    "selected_rows._BLOCK_BYTES",
)


@settings(max_examples=60, deadline=None)
@given(
    picks=st.lists(st.integers(0, 5), min_size=1, max_size=70),
    k=st.integers(1, 80),
    share=st.floats(0, 1),
    seed=st.integers(0, 100),
    half=st.booleans(),
)
def test_exact_is_sorting_whatever_the_blocks(
    picks: list[int], k: int, share: float, seed: int, half: bool
) -> None:
    gallery: Floats = unit(6, 5)[picks].astype(np.float16 if half else np.float32)
    allowed = np.random.default_rng(seed).random(len(picks)) < share
    queries = unit(3, 5, 1)
    wanted = [
        line + [NONE] * (min(k, len(picks)) - len(line))
        for line in truth(queries, gallery, k, allowed)
    ]
    for nbytes in (1, 200, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            for name in BOUNDS:
                patch.setattr(f"likewise.retrieval.indexes.{name}", nbytes)
            patch.setattr("likewise.retrieval.indexes.exact_search._QUERIES", 2)
            found = build({"kind": "exact"}, Vectors.from_array(gallery)).search(
                queries, k, allowed
            )
        assert found[1].tolist() == wanted


def test_ties_at_the_end_of_an_exact_list_go_to_the_first_rows() -> None:
    gallery = np.tile(unit(1), (5000, 1))
    gallery[4000] = unit(1, seed=1)
    exact = build({"kind": "exact"}, Vectors.from_array(gallery))
    assert exact.search(unit(1), 7)[1].tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    last = exact.search(unit(1), 5000)[1][0]
    assert last.tolist() == [*range(4000), *range(4001, 5000), 4000]


def test_an_exact_score_depends_on_neither_batch_nor_place() -> None:
    gallery = clustered(9001, 50)
    gallery[[0, 4097, 9000]] = gallery[17]
    queries = gallery[:300]
    exact = build({"kind": "exact"}, Vectors.from_array(gallery))
    scores, rows = exact.search(queries, 20)
    for i in (0, 17, 299):
        alone, alone_rows = exact.search(queries[i : i + 1], 20)
        assert (alone[0] == scores[i]).all()
        assert (alone_rows[0] == rows[i]).all()
    assert rows[17, :4].tolist() == [0, 17, 4097, 9000]


def test_blocks_of_half_precision_answer_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = clustered(10_000, 16).astype(np.float16)
    queries = clustered(100, 16, 2)
    whole = build({"kind": "exact"}, Vectors.from_array(gallery)).search(queries, 30)
    for name in BOUNDS[2:]:
        monkeypatch.setattr(f"likewise.retrieval.indexes.{name}", 50_000)
    blocks = build({"kind": "exact"}, Vectors.from_array(gallery))
    assert (blocks.search(queries, 30)[1] == whole[1]).all()
    assert (blocks.search(queries, 30)[0] == whole[0]).all()
    allowed = np.arange(10_000) % 3 == 0
    assert allowed[blocks.search(queries, 30, allowed)[1]].all()
