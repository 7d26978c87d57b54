"""Locally optimised product quantisation, compared with FAISS and part by part."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from galleries import unreadable
from likewise.errors import ConfigError
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors
from likewise.retrieval.indexes.lopq_codec import CodecTrainer, EncodedVectors

Floats = npt.NDArray[np.float32]
DIM = 16


def spread(rows: int, seed: int = 0) -> Floats:
    """Make unit vectors in clusters, each stretched in its own direction."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((4, DIM))
    turns = [
        np.linalg.qr(np.random.default_rng(c).standard_normal((DIM, DIM)))[0] for c in range(4)
    ]
    scale = np.geomspace(0.5, 0.01, DIM)
    of = rng.integers(0, 4, rows)
    noise = rng.standard_normal((rows, DIM)) * scale
    array = centres[of] + np.stack([turns[c] @ n for c, n in zip(of, noise, strict=True)])
    return np.asarray(array / np.linalg.norm(array, axis=1, keepdims=True), np.float32)


def build(vectors: Vectors, cache: Path | None = None, **options: Any) -> BuiltIndex:
    return INDEXES.build({"kind": "lopq", **options}, "here").build(vectors, cache)


def recall(found: Any, wanted: Any) -> float:
    pairs = zip(found.tolist(), wanted.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


@pytest.mark.no_cover  # other tests run the same lines
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("codebooks", ["local", "shared"])
def test_it_finds_more_than_plain_codes_of_the_same_bytes(parts: int, codebooks: str) -> None:
    gallery, queries = spread(5000), spread(50, 1)
    wanted = (
        INDEXES.build({"kind": "exact"}, "x")
        .build(Vectors.from_array(gallery))
        .search(queries, 10)
    )
    plain = INDEXES.build({"kind": "faiss", "factory": "PQ4np", "metric": "l2"}, "x").build(
        Vectors.from_array(gallery)
    )
    ours = build(Vectors.from_array(gallery), v=4, m=4, parts=parts, codebooks=codebooks)
    scores, rows = ours.search(queries, 10)
    assert recall(rows, wanted[1]) >= recall(plain.search(queries, 10)[1], wanted[1])
    assert np.abs(scores - np.einsum("qd,qkd->qk", queries, gallery[rows])).max() < 0.15
    assert (np.diff(scores, axis=1) <= 0).all()


def test_refined_scores_are_those_of_the_vectors() -> None:
    gallery, queries = spread(1500), spread(20, 1)
    built = build(Vectors.from_array(gallery), v=4, m=4, refine_factor=20)
    scores, rows = built.search(queries, 10)
    assert scores == pytest.approx(np.einsum("qd,qkd->qk", queries, gallery[rows]), abs=1e-6)
    exact = INDEXES.build({"kind": "exact"}, "x").build(Vectors.from_array(gallery))
    assert recall(rows, exact.search(queries, 10)[1]) > 0.95


def test_fewer_cells_find_no_more_and_a_quota_is_filled() -> None:
    gallery, queries = spread(2000), spread(30, 1)
    every = build(Vectors.from_array(gallery), v=4, m=4).search(queries, 10)
    found = []
    for options in ({"nprobe": 1}, {"quota": 300}, {"nprobe": 16}):
        rows = build(Vectors.from_array(gallery), None, v=4, m=4, **options).search(
            queries, 10
        )[1]
        assert (rows != NONE).all()
        found.append(recall(rows, every[1]))
    assert found[0] <= found[2] == 1
    assert found[1] > 0.5


def test_a_filter_holds_in_the_cells_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likewise.retrieval.indexes.lopq._FEW", 0)
    gallery, queries = spread(2000), spread(30, 1)
    allowed = np.random.default_rng(3).random(2000) < 0.1
    exact = INDEXES.build({"kind": "exact"}, "x").build(Vectors.from_array(gallery))
    wanted = exact.search(queries, 5, allowed)[1]
    for options in ({}, {"nprobe": 4}, {"quota": 100}):
        built = build(Vectors.from_array(gallery), None, v=4, m=8, refine_factor=10, **options)
        rows = built.search(queries, 5, allowed)[1]
        assert allowed[rows].all()
        assert recall(rows, wanted) > 0.8


def test_the_file_holds_all_of_it(tmp_path: Path) -> None:
    gallery, cache = spread(1000), tmp_path / "x.lopq"
    first = build(Vectors.from_array(gallery), cache, m=4).search(gallery[:9], 5)
    unread = unreadable(gallery)
    again = build(unread, cache, m=4).search(gallery[:9], 5)
    assert (first[0] == again[0]).all()
    assert (first[1] == again[1]).all()
    cache.write_bytes(cache.read_bytes()[:-1])
    assert EncodedVectors.read(cache, 1000) is None
    assert (
        build(Vectors.from_array(gallery), cache, m=4).search(gallery[:9], 5)[1] == first[1]
    ).all()
    assert EncodedVectors.read(cache, 1000) is not None
    assert EncodedVectors.read(cache, 999) is None


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_axes_are_dealt_so_that_variances_balance(unit: float) -> None:
    rng = np.random.default_rng(0)
    deviations = unit * np.array([8.0, 4.0, 2.0, 1.0])
    sample = (rng.standard_normal((5000, 4)) * deviations).astype(np.float32)
    part = CodecTrainer(1, 2, local=False).train(sample, 0)
    turned = part.residuals(sample, np.zeros(5000, np.int64))
    products = turned.var(axis=0).reshape(2, 2).prod(axis=1)
    # 8 is paired with 1 and 4 with 2: (8 x 1)^2 = (4 x 2)^2 = 64
    assert products == pytest.approx([64 * unit**4] * 2, rel=0.15)
    assert part.rotations[0] @ part.rotations[0].T == pytest.approx(np.eye(4), abs=1e-5)


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (300, {"m": 5}, "m must divide the 16 dimensions"),
        (300, {"m": 1}, "parts must divide m"),
        (255, {"m": 4}, "255 vectors are too few; at least 256 are needed"),
    ],
)
def test_what_does_not_suit_is_reported(rows: int, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(Vectors.from_array(spread(rows)), **options)
