"""FAISS indexes by factory string: filters, distances, errors, and the stored file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forked
from galleries import DIM, build, clustered, truth, unit, unreadable
from likewise.errors import ConfigError
from likewise.retrieval.indexes.base import Vectors

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
    "OPQ8,IVF8,PQ8x4,Refine(SQfp16)",
    "HNSW16_SQ8",
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_faiss_filters_above_the_few_as_well(
    factory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.retrieval.indexes.faiss._FEW", 0)
    gallery, queries = clustered(2000, DIM), clustered(2000, DIM, 1)[:20]
    allowed = np.random.default_rng(5).random(2000) < 0.5
    entry: dict[str, Any] = {"kind": "faiss", "factory": factory}
    if "IVF" in factory:
        entry["nprobe"] = 8
    if "RFlat" in factory or "Refine" in factory:
        entry["refine_factor"] = 60  # one bit per dimension is little for 32 dimensions
    _, rows = build(entry, Vectors.from_array(gallery)).search(queries, 5, allowed)
    assert allowed[rows].all()
    wanted = truth(queries, gallery, 5, allowed)
    found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), wanted, strict=True)]
    assert np.mean(found) >= 4


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_distances_of_faiss_become_cosines(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.retrieval.indexes.faiss._FEW", 0)
    gallery = clustered(500, DIM)
    allowed = np.random.default_rng(5).random(500) < share
    built = build(
        {"kind": "faiss", "metric": "l2", "factory": "HNSW16"}, Vectors.from_array(gallery)
    )
    scores, rows = built.search(gallery[:20], 5, allowed)
    wanted = np.einsum("qd,qkd->qk", gallery[:20], gallery[rows])
    assert scores == pytest.approx(wanted, abs=1e-5)


def test_a_filter_keeps_the_cells_that_nprobe_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likewise.retrieval.indexes.faiss._FEW", 0)
    gallery = clustered(2000, DIM)
    everything = np.ones(2000, bool)
    built = build(
        {"kind": "faiss", "factory": "IVF16,Flat", "nprobe": 5}, Vectors.from_array(gallery)
    )
    free, filtered = built.search(gallery[:50], 9), built.search(gallery[:50], 9, everything)
    assert (free[1] == filtered[1]).all()


@pytest.mark.usefixtures("several_threads")
@pytest.mark.parametrize("factory", ["IVF8,PQ4x4", "HNSW8", "PCA16,IVF8,SQ8"])
def test_the_same_vectors_make_the_same_faiss_index(factory: str) -> None:
    vectors = Vectors.from_array(clustered(3000, DIM))
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
def test_what_faiss_refuses_is_reported_in_a_line(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build({"kind": "faiss", **entry}, Vectors.from_array(unit(50)))
    text = str(caught.value)
    assert said in text
    assert "/project/" not in text
    assert "\n" not in text
    assert "50 vectors of 32 dimensions" in text


def test_a_trained_index_comes_from_its_file(tmp_path: Path) -> None:
    gallery, cache = clustered(1000, DIM), tmp_path / "deep" / "x.faiss"
    entry = {"kind": "faiss", "factory": "IVF8,Flat", "nprobe": 3}
    first = build(entry, Vectors.from_array(gallery), cache).search(gallery, 5)
    made = cache.read_bytes()
    assert [p.name for p in cache.parent.iterdir()] == ["x.faiss"]
    unread = unreadable(gallery)
    again = build(entry, unread, cache).search(gallery, 5)
    assert (first[1] == again[1]).all()
    assert (first[0] == again[0]).all()
    assert cache.read_bytes() == made


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_rebuilt(tmp_path: Path, damage: str) -> None:
    gallery, cache = clustered(1000, DIM), tmp_path / "x.faiss"
    entry = {"kind": "faiss", "factory": "IVF8,Flat", "nprobe": 3}
    first = build(entry, Vectors.from_array(gallery), cache).search(gallery, 5)
    whole = cache.read_bytes()
    if damage == "other":
        build(entry, Vectors.from_array(gallery[:500]), tmp_path / "y.faiss")
    damaged = {
        "cut": whole[:-100],
        "flipped": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
        "empty": b"",
        "other": (tmp_path / "y.faiss").read_bytes() if damage == "other" else b"",
    }
    cache.write_bytes(damaged[damage])
    again = build(entry, Vectors.from_array(gallery), cache).search(gallery, 5)
    assert (first[1] == again[1]).all()
    assert cache.read_bytes() == whole


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "x.faiss"
    built = build(
        {"kind": "faiss", "factory": "IVF8,Flat"}, Vectors.from_array(unit(500)), cache
    )
    assert built.search(unit(1), 1)[1].tolist() == [[0]]


def test_flat_needs_no_file(tmp_path: Path) -> None:
    build({"kind": "faiss"}, Vectors.from_array(unit(50)), tmp_path / "x.faiss")
    assert not list(tmp_path.iterdir())


AFTER_TORCH_UTILS = """
import sys, faiss.contrib.torch_utils, numpy as np
sys.path.insert(0, sys.argv[1])
from galleries import build, clustered
from likewise.retrieval.indexes.base import Vectors
allowed = np.arange(300) % 2 == 0
built = build({"kind": "faiss", "factory": "Flat"}, Vectors.from_array(clustered(300, 8)))
print(built.search(clustered(300, 8)[:4], 3, allowed)[1][:, 0].tolist())
"""


def test_filters_work_after_another_library_replaced_the_search_of_faiss(
    tmp_path: Path,
) -> None:
    tests = str(Path(__file__).parents[1])
    done = forked.run(tmp_path, "python", "-c", AFTER_TORCH_UTILS, tests)
    assert done.returncode == 0, done.stderr
    assert [row % 2 for row in json.loads(done.stdout)] == [0, 0, 0, 0]
