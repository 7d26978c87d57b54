"""The ANN index of a Lance table works in LanceDB and Likewise, and stays with its vectors."""

from pathlib import Path
from typing import Any

import lance
import lancedb
import numpy as np
import numpy.typing as npt
import pytest

from galleries import DIM, build, clustered, stored, unit
from likewise.errors import ConfigError
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.indexes.lance import ANN_ROWS, Ann, build_ann
from likewise.storage.tables import open_table


def test_lance_searches_tables_only() -> None:
    with pytest.raises(ConfigError, match="published tables only"):
        build({"kind": "lance"}, Vectors.from_array(unit(50)))


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
    opened = Vectors.from_column(open_table(tmp_path / "t.lance"), "m")
    assert opened.table is not None
    assert opened.table.vector_index("m").kinds == ["IVF_SQ"]
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
    opened = Vectors.from_column(open_table(tmp_path / "t.lance"), "m")
    assert opened.table is not None
    assert opened.table.vector_index("m").kinds == [kind]
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

    indices = lance.dataset(last.path).describe_indices()
    before = [one.uuid for index in indices for one in index.segments]
    assert uuids("same", gallery, ann) == before
    folders = [tmp_path / name / "t.lance" / "_indices" for name in ("last", "same")]
    for path in (folders[0] / before[0]).iterdir():
        assert path.samefile(folders[1] / before[0] / path.name)
    opened = [Vectors.from_column(open_table(folder.parent), "m") for folder in folders]
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
    with pytest.raises(ConfigError, match="sub_vectors is 5; it must divide"):
        build_ann(vectors.table, "m", Ann(kind="IVF_PQ", rows=256, sub_vectors=5))
