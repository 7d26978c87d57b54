"""The contract of every registered index."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from galleries import DIM, build, clustered, stored, truth, unit
from likewise.errors import ConfigError
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import NONE

ENTRIES: list[dict[str, Any]] = [
    *({"kind": kind} for kind in INDEXES.kinds() if kind != "lopq"),
    {"kind": "lopq", "v": 2, "refine_factor": 10},
    {"kind": "faiss", "factory": "IVF4,Flat", "nprobe": 4},
    {"kind": "faiss", "factory": "RR32,IVF4,SQfp16", "nprobe": 4},
    {"kind": "faiss", "factory": "HNSW16", "ef_search": 200},
    {"kind": "faiss", "factory": "IVF4,SQ8,RFlat", "nprobe": 4, "refine_factor": 4},
    {"kind": "faiss", "factory": "IVF4,Flat", "nprobe": 4, "metric": "l2"},
    {"kind": "lance", "metric": "dot"},
]


def name(entry: dict[str, Any]) -> str:
    return "-".join(str(v) for v in entry.values())


@pytest.fixture(params=ENTRIES, ids=name)
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    chosen: dict[str, Any] = request.param
    return chosen


def test_each_vector_finds_itself_first(entry: dict[str, Any], tmp_path: Path) -> None:
    gallery = unit(400)
    scores, rows = build(entry, stored(tmp_path, gallery)).search(gallery[::40], 3)
    assert rows[:, 0].tolist() == list(range(0, 400, 40))
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("rows_per_file", [1 << 20, 150])
def test_every_index_finds_what_sorting_finds(
    entry: dict[str, Any], tmp_path: Path, rows_per_file: int
) -> None:
    gallery, queries = clustered(400, DIM), clustered(400, DIM, 1)[:20]
    scores, rows = build(entry, stored(tmp_path, gallery, rows_per_file)).search(queries, 10)
    wanted = truth(queries, gallery, 10, np.ones(400, bool))
    found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), wanted, strict=True)]
    assert np.mean(found) >= 9
    if entry["kind"] == "exact":
        assert rows.tolist() == wanted
        assert scores[0, 0] == pytest.approx(float(queries[0] @ gallery[rows[0, 0]]), abs=1e-6)


@pytest.mark.parametrize("share", [0.9, 0.3, 0.05])
def test_a_filter_is_exact_and_comes_first(
    entry: dict[str, Any], tmp_path: Path, share: float
) -> None:
    gallery, queries = clustered(400, DIM), clustered(400, DIM, 1)[:20]
    allowed = np.random.default_rng(5).random(400) < share
    _, rows = build(entry, stored(tmp_path, gallery)).search(queries, 5, allowed)
    assert allowed[rows].all()
    assert rows.tolist() == truth(queries, gallery, 5, allowed)


def test_fewer_allowed_rows_than_asked_for_leave_gaps(
    entry: dict[str, Any], tmp_path: Path
) -> None:
    gallery = unit(300)
    index = build(entry, stored(tmp_path, gallery))
    allowed = np.zeros(300, bool)
    allowed[[7, 200]] = True
    scores, rows = index.search(gallery[:2], 4, allowed)
    assert rows.shape == (2, 4)
    assert [sorted(line[:2]) for line in rows.tolist()] == [[7, 200], [7, 200]]
    assert (rows[:, 2:] == NONE).all()
    assert np.isneginf(scores[:, 2:]).all()
    nothing = index.search(gallery[:2], 4, np.zeros(300, bool))[1]
    assert (nothing == NONE).all()
    assert index.search(gallery[:0], 4)[1].shape == (0, 4)


def test_more_than_there_are_gives_all(entry: dict[str, Any], tmp_path: Path) -> None:
    gallery = unit(300)
    _, rows = build(entry, stored(tmp_path, gallery)).search(gallery[:1], 1000)
    assert rows.shape == (1, 300)
    assert set(rows[0].tolist()) - {NONE} <= set(range(300))
    if entry.get("factory", "") != "HNSW16":
        assert sorted(rows[0].tolist()) == list(range(300))


def test_equal_scores_are_in_the_order_of_the_rows(
    entry: dict[str, Any], tmp_path: Path
) -> None:
    gallery = unit(301)
    twins = [3, 11, 160, 299, 300]
    gallery[twins] = gallery[3]
    scores, rows = build(entry, stored(tmp_path, gallery)).search(gallery[3:4], 5)
    assert rows[0].tolist() == twins
    if entry["kind"] == "exact":
        assert len(set(scores[0].tolist())) == 1


def test_half_precision_is_searched_as_it_is(entry: dict[str, Any], tmp_path: Path) -> None:
    gallery = unit(400).astype(np.float16)
    queries = gallery[::80].astype(np.float32)
    _, rows = build(entry, stored(tmp_path, gallery)).search(queries, 2)
    assert rows[:, 0].tolist() == [0, 80, 160, 240, 320]


def test_unknown_options_are_faults() -> None:
    with pytest.raises(ConfigError, match="did you mean 'factory'"):
        INDEXES.build({"kind": "faiss", "factroy": "Flat"}, "params.yaml: indexes.x")
    with pytest.raises(ConfigError, match="greater than or equal to 1"):
        INDEXES.build({"kind": "faiss", "nprobe": 0}, "params.yaml: indexes.x")
