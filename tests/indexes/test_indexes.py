"""What every index promises, asked of every registered kind."""

from pathlib import Path
from typing import Any

import lance
import lancedb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import ConfigError
from likewise.indexes import INDEXES
from likewise.indexes.base import NONE, Built, Vectors
from likewise.indexes.lance import ANN_ROWS, Ann, build_ann
from likewise.schema import STORAGE_VERSION

Floats = npt.NDArray[np.floating[Any]]

DIM = 32
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


def normalised(array: Floats) -> npt.NDArray[np.float32]:
    lengths: Floats = np.linalg.norm(array, axis=1, keepdims=True)
    return np.asarray(array / lengths, np.float32)


def unit(rows: int, dim: int = DIM, seed: int = 0) -> npt.NDArray[np.float32]:
    array = np.random.default_rng(seed).standard_normal((rows, dim))
    return normalised(array)


def clustered(rows: int, dim: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((rows // 20, dim))
    array = centres[rng.integers(0, len(centres), rows)] + 0.7 * rng.standard_normal(
        (rows, dim)
    )
    return normalised(array)


def stored(folder: Path, array: Floats, rows_per_file: int = 1 << 20) -> Vectors:
    values = pa.array(array.ravel())
    column = pa.FixedSizeListArray.from_arrays(values, array.shape[1])
    table = pa.table({"item_id": [f"{i:05}" for i in range(len(array))], "m": column})
    made = lance.write_dataset(
        table,
        folder / "t.lance",
        data_storage_version=STORAGE_VERSION,
        max_rows_per_file=rows_per_file,
    )
    return Vectors.stored(made, "m")


def name(entry: dict[str, Any]) -> str:
    return "-".join(str(v) for v in entry.values())


@pytest.fixture(params=ENTRIES, ids=name)
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    chosen: dict[str, Any] = request.param
    return chosen


def build(entry: dict[str, Any], vectors: Vectors, cache: Path | None = None) -> Built:
    return INDEXES.build(entry, "here").build(vectors, cache)


def truth(
    queries: Floats, gallery: Floats, k: int, allowed: npt.NDArray[np.bool_]
) -> list[list[int]]:
    """The oracle: sort every score."""
    scores = queries.astype(np.float64) @ gallery.T.astype(np.float64)
    return [
        [int(row) for row in np.argsort(-line, kind="stable") if allowed[row]][:k]
        for line in scores
    ]


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


def test_equal_scores_stand_in_the_order_of_the_rows(
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
            for name in ("_BLOCK_BYTES", "_CACHED_BYTES", "_WIDE_BYTES"):
                patch.setattr(f"likewise.indexes.exact.{name}", nbytes)
            patch.setattr("likewise.indexes.exact._QUERIES", 2)
            found = build({"kind": "exact"}, Vectors.of(gallery)).search(queries, k, allowed)
        assert found[1].tolist() == wanted


def test_ties_at_the_end_of_an_exact_list_go_to_the_first_rows() -> None:
    gallery = np.tile(unit(1), (5000, 1))
    gallery[4000] = unit(1, seed=1)
    exact = build({"kind": "exact"}, Vectors.of(gallery))
    assert exact.search(unit(1), 7)[1].tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    last = exact.search(unit(1), 5000)[1][0]
    assert last.tolist() == [*range(4000), *range(4001, 5000), 4000]


def test_an_exact_score_depends_on_neither_batch_nor_place() -> None:
    gallery = clustered(9001, 50)
    gallery[[0, 4097, 9000]] = gallery[17]
    queries = gallery[:300]
    exact = build({"kind": "exact"}, Vectors.of(gallery))
    scores, rows = exact.search(queries, 20)
    for i in (0, 17, 299):
        alone, alone_rows = exact.search(queries[i : i + 1], 20)
        assert (alone[0] == scores[i]).all()
        assert (alone_rows[0] == rows[i]).all()
    assert rows[17, :4].tolist() == [0, 17, 4097, 9000]


def test_blocks_of_half_precision_answer_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = clustered(10_000, 16).astype(np.float16)
    queries = clustered(100, 16, 2)
    whole = build({"kind": "exact"}, Vectors.of(gallery)).search(queries, 30)
    monkeypatch.setattr("likewise.indexes.exact._WIDE_BYTES", 0)
    blocks = build({"kind": "exact"}, Vectors.of(gallery))
    assert (blocks.search(queries, 30)[1] == whole[1]).all()
    assert (blocks.search(queries, 30)[0] == whole[0]).all()
    allowed = np.arange(10_000) % 3 == 0
    assert allowed[blocks.search(queries, 30, allowed)[1]].all()


FACTORIES = [
    "Flat",
    "IVF8,Flat",
    "HNSW16",
    "IVF8,SQ8",
    "RR32,IVF8,SQ8,RFlat",
    "PQ16x4",
    "NSG16",
    "RaBitQ4,RFlat",
    "IVF8,RaBitQ4",
    "IVF8,RaBitQfs,RFlat",
    "IVF8,PQ16x4fs,RFlat",
    "PQ16x4fs,RFlat",
    "OPQ16,IVF8,PQ16x4,Refine(SQfp16)",
    "HNSW16_SQ8",
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_faiss_filters_above_the_few_as_well(
    factory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.indexes.faiss._FEW", 0)
    gallery, queries = clustered(2000, DIM), clustered(2000, DIM, 1)[:20]
    allowed = np.random.default_rng(5).random(2000) < 0.5
    entry: dict[str, Any] = {"kind": "faiss", "factory": factory}
    if "IVF" in factory:
        entry["nprobe"] = 8
    if "RFlat" in factory or "Refine" in factory:
        entry["refine_factor"] = 60  # one bit a dimension says little of 32
    _, rows = build(entry, Vectors.of(gallery)).search(queries, 5, allowed)
    assert allowed[rows].all()
    wanted = truth(queries, gallery, 5, allowed)
    found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), wanted, strict=True)]
    assert np.mean(found) >= 4


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_distances_of_faiss_become_cosines(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.indexes.faiss._FEW", 0)
    gallery = clustered(500, DIM)
    allowed = np.random.default_rng(5).random(500) < share
    built = build({"kind": "faiss", "metric": "l2", "factory": "HNSW16"}, Vectors.of(gallery))
    scores, rows = built.search(gallery[:20], 5, allowed)
    wanted = np.einsum("qd,qkd->qk", gallery[:20], gallery[rows])
    assert scores == pytest.approx(wanted, abs=1e-5)


def test_a_filter_keeps_the_cells_that_nprobe_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likewise.indexes.faiss._FEW", 0)
    gallery = clustered(2000, DIM)
    everything = np.ones(2000, bool)
    built = build({"kind": "faiss", "factory": "IVF16,Flat", "nprobe": 5}, Vectors.of(gallery))
    free, filtered = built.search(gallery[:50], 9), built.search(gallery[:50], 9, everything)
    assert (free[1] == filtered[1]).all()


@pytest.mark.parametrize("factory", ["IVF8,PQ4x4", "HNSW8", "PCA16,IVF8,SQ8"])
def test_the_same_vectors_make_the_same_faiss_index(factory: str) -> None:
    vectors = Vectors.of(clustered(3000, DIM))
    entry = {"kind": "faiss", "factory": factory, "train": 600, "seed": 3}
    first, second = (build(entry, vectors).search(unit(50), 20) for _ in range(2))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"factory": "Flatt"}, "could not parse index string Flatt"),
        ({"factory": "IVF64,Flat"}, "training points (50) should be at least as large"),
        ({"factory": "PQ7"}, "should be a multiple of the number of subquantizers"),
        ({"factory": "Flat", "nprobe": 3}, "could not set parameter nprobe"),
        ({"factory": "LSH"}, "metric == METRIC_L2"),
        ({"factory": "IDMap,Flat"}, "add does not make sense with IndexIDMap"),
    ],
)
def test_what_faiss_refuses_is_said_in_a_line(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build({"kind": "faiss", **entry}, Vectors.of(unit(50)))
    text = str(caught.value)
    assert said in text
    assert "/project/" not in text
    assert "\n" not in text
    assert "50 vectors of 32 dimensions" in text


def test_unknown_options_are_faults() -> None:
    with pytest.raises(ConfigError, match="did you mean 'factory'"):
        INDEXES.build({"kind": "faiss", "factroy": "Flat"}, "params.yaml: indexes.x")
    with pytest.raises(ConfigError, match="greater than or equal to 1"):
        INDEXES.build({"kind": "faiss", "nprobe": 0}, "params.yaml: indexes.x")


def test_a_trained_index_comes_from_its_file(tmp_path: Path) -> None:
    gallery, cache = clustered(1000, DIM), tmp_path / "deep" / "x.faiss"
    entry = {"kind": "faiss", "factory": "IVF8,Flat", "nprobe": 3}
    first = build(entry, Vectors.of(gallery), cache).search(gallery, 5)
    made = cache.read_bytes()
    assert [p.name for p in cache.parent.iterdir()] == ["x.faiss"]
    unread = Vectors(1000, DIM, read=lambda: pytest.fail("read again"), take=lambda _: gallery)
    again = build(entry, unread, cache).search(gallery, 5)
    assert (first[1] == again[1]).all()
    assert (first[0] == again[0]).all()
    assert cache.read_bytes() == made


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    gallery, cache = clustered(1000, DIM), tmp_path / "x.faiss"
    entry = {"kind": "faiss", "factory": "IVF8,Flat", "nprobe": 3}
    first = build(entry, Vectors.of(gallery), cache).search(gallery, 5)
    whole = cache.read_bytes()
    if damage == "other":
        build(entry, Vectors.of(gallery[:500]), tmp_path / "y.faiss")
    damaged = {
        "cut": whole[:-100],
        "flipped": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
        "empty": b"",
        "other": (tmp_path / "y.faiss").read_bytes() if damage == "other" else b"",
    }
    cache.write_bytes(damaged[damage])
    again = build(entry, Vectors.of(gallery), cache).search(gallery, 5)
    assert (first[1] == again[1]).all()
    assert cache.read_bytes() == whole


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "x.faiss"
    built = build({"kind": "faiss", "factory": "IVF8,Flat"}, Vectors.of(unit(500)), cache)
    assert built.search(unit(1), 1)[1].tolist() == [[0]]


def test_flat_needs_no_file(tmp_path: Path) -> None:
    build({"kind": "faiss"}, Vectors.of(unit(50)), tmp_path / "x.faiss")
    assert not list(tmp_path.iterdir())


def test_lance_searches_tables_only() -> None:
    with pytest.raises(ConfigError, match="published tables only"):
        build({"kind": "lance"}, Vectors.of(unit(50)))


def test_small_tables_get_no_ann_index(tmp_path: Path) -> None:
    vectors = stored(tmp_path, unit(100))
    assert vectors.table is not None
    assert not build_ann(vectors.table, "m")
    assert lance.dataset(tmp_path / "t.lance").describe_indices() == []


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_ann_index_finds_what_is_near(tmp_path: Path, dtype: str) -> None:
    rows = 20_000
    assert rows >= ANN_ROWS
    gallery = clustered(rows, 64)
    queries = gallery[::400] + 0.3 * unit(50, 64, 1)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    vectors = stored(tmp_path, gallery.astype(dtype), 6000)
    assert vectors.table is not None
    assert build_ann(vectors.table, "m")
    opened = Vectors.stored(lance.dataset(tmp_path / "t.lance"), "m")
    assert opened.table is not None
    assert [i.index_type for i in opened.table.describe_indices()] == ["IVF_SQ"]
    built = build({"kind": "lance"}, opened)
    oracle = build({"kind": "exact"}, opened)
    for share in (1.0, 0.5, 0.1, 0.06, 0.01):
        allowed = np.random.default_rng(3).random(rows) < share
        found = built.search(queries, 10, None if share == 1 else allowed)[1].tolist()
        wanted = oracle.search(queries, 10, allowed)[1].tolist()
        recall = np.mean(
            [len(set(a) & set(b)) / 10 for a, b in zip(found, wanted, strict=True)]
        )
        assert recall >= 0.95, share


@pytest.mark.parametrize("kind", ["IVF_FLAT", "IVF_PQ", "IVF_RQ", "IVF_HNSW_SQ"])
def test_every_kind_of_ann_index_serves_lancedb_and_us(tmp_path: Path, kind: Any) -> None:
    gallery = clustered(3000, DIM)
    vectors = stored(tmp_path, gallery)
    assert vectors.table is not None
    assert build_ann(vectors.table, "m", Ann(kind=kind, rows=1000, partitions=20))
    opened = Vectors.stored(lance.dataset(tmp_path / "t.lance"), "m")
    assert opened.table is not None
    assert [i.index_type for i in opened.table.describe_indices()] == [kind]
    oracle = build({"kind": "exact"}, opened)
    allowed = np.arange(3000) % 2 == 0
    for mask in (None, allowed):
        found = build({"kind": "lance", "nprobes": 20}, opened).search(gallery[:50], 10, mask)
        wanted = oracle.search(gallery[:50], 10, mask)[1]
        pairs = zip(found[1].tolist(), wanted.tolist(), strict=True)
        assert np.mean([len(set(a) & set(b)) / 10 for a, b in pairs]) > 0.9
    table = lancedb.connect(tmp_path).open_table("t")
    query: Any = table.search(gallery[7])
    hit = query.metric("cosine").limit(1).to_list()[0]
    assert hit["item_id"] == "00007"


@pytest.mark.parametrize("kind", ["IVF_SQ", "IVF_RQ", "IVF_HNSW_SQ"])
def test_the_same_vectors_keep_their_ann_index(tmp_path: Path, kind: Any) -> None:
    gallery = clustered(3000, DIM)
    ann = Ann(kind=kind, rows=1000, partitions=20)
    last = stored(tmp_path / "last", gallery, 2000).table
    assert last is not None
    assert build_ann(last, "m", ann)

    def uuids(name: str, vectors: npt.NDArray[np.float32], asked: Ann) -> list[str]:
        table = stored(tmp_path / name, vectors, 2000).table
        assert table is not None
        assert build_ann(table, "m", asked, last)
        found = lance.dataset(tmp_path / name / "t.lance").describe_indices()
        assert [index.index_type for index in found] == [kind]
        return [segment.uuid for index in found for segment in index.segments]

    before = [one.uuid for index in last.describe_indices() for one in index.segments]
    assert uuids("same", gallery, ann) == before
    folders = [tmp_path / name / "t.lance" / "_indices" for name in ("last", "same")]
    for path in (folders[0] / before[0]).iterdir():
        assert path.samefile(folders[1] / before[0] / path.name)
    opened = [Vectors.stored(lance.dataset(folder.parent), "m") for folder in folders]
    hits = [build({"kind": "lance"}, one).search(gallery[:50], 10) for one in opened]
    np.testing.assert_array_equal(hits[0][1], hits[1][1])
    query: Any = lancedb.connect(tmp_path / "same").open_table("t").search(gallery[7])
    assert query.metric("cosine").limit(1).to_list()[0]["item_id"] == "00007"
    assert uuids("other", gallery, ann.model_copy(update={"seed": 1})) != before
    turned = gallery.copy()
    turned[7] = gallery[8]
    assert uuids("turned", turned, ann) != before
    next((folders[0] / before[0]).iterdir()).unlink()
    assert uuids("damaged", gallery, ann) != before


def test_the_ann_index_says_what_does_not_suit(tmp_path: Path) -> None:
    vectors = stored(tmp_path, clustered(300, DIM))
    assert vectors.table is not None
    assert not build_ann(vectors.table, "m", Ann(kind="none", rows=256))
    with pytest.raises(ConfigError, match="sub_vectors 5 do not divide the 32 dimensions"):
        build_ann(vectors.table, "m", Ann(kind="IVF_PQ", rows=256, sub_vectors=5))
