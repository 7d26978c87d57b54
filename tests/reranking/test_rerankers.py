"""Re-rankers: published formulas by hand, plain references, and the promises of the family."""

from math import exp, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from likewise.errors import ConfigError, UnknownNameError
from likewise.evaluation.ranking.reranking import QueryBatch, new_order
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.reranking import RERANKERS, base
from likewise.retrieval.reranking.applied import AppliedReranker
from likewise.retrieval.reranking.searched_gallery import Gallery
from rerank_references import reference

Floats = npt.NDArray[np.float32]

ENTRIES: list[dict[str, Any]] = [
    {"kind": "alpha-qe"},
    {"kind": "alpha-qe", "k": 3, "alpha": 0},
    {"kind": "dba", "top": 100},
    {"kind": "dba", "top": 100, "k": 4, "weights": "equal"},
    {"kind": "dba", "top": 100, "k": 4, "weights": "cosine", "alpha": 2},
    {"kind": "diffusion", "iterations": 500, "k": 8},
    {"kind": "diffusion", "iterations": 500, "k": 60, "kq": 3, "alpha": 0.9, "gamma": 1},
    {"kind": "k-reciprocal"},
    {"kind": "k-reciprocal", "k1": 5, "k2": 3, "weight": 0},
    {"kind": "k-reciprocal", "k1": 7, "k2": 1, "weight": 0.5},
    {"kind": "superglobal"},
    {"kind": "superglobal", "k": 3, "beta": 0.5},
]
KINDS = {entry["kind"]: entry for entry in reversed(ENTRIES)}


def normalised(vectors: Any) -> Floats:
    array = np.asarray(vectors, np.float64)
    return np.asarray(array / np.linalg.norm(array, axis=-1, keepdims=True), np.float32)


def clustered(rows: int, dim: int = 8, seed: int = 0) -> Floats:
    """Vectors of several classes, which overlap."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(rows // 8, 2), dim))
    return normalised(
        centres[np.arange(rows) % len(centres)] + 0.7 * rng.normal(size=(rows, dim))
    )


def applied(
    entry: dict[str, Any], gallery: Floats, memory: int = 1 << 30, **options: Any
) -> AppliedReranker:
    index = INDEXES.build(options.get("index", {"kind": "exact"}), "test")
    built = index.build(Vectors.from_array(gallery))
    blocks = VectorBlocks.from_array(gallery, memory)
    return AppliedReranker(
        RERANKERS.build(entry, "test"), Gallery(blocks, built, options.get("allowed"))
    )


def batch(queries: Floats, excluded: Any = None) -> QueryBatch:
    rows = np.full((len(queries), 1), -1) if excluded is None else np.asarray(excluded)
    return QueryBatch(queries, rows, np.full(len(queries), -1))


def scores_of(entry: dict[str, Any], queries: Floats, gallery: Floats, **options: Any) -> Any:
    """The new score of every gallery item, (q, n) in the order of the gallery."""
    reranker = applied(entry, gallery, **options)
    excluded = options.get("excluded")
    scores, rows = reranker.search(batch(queries, excluded), len(gallery))
    by_row = np.full((len(queries), len(gallery)), np.nan)
    for out, own, near in zip(by_row, scores, rows, strict=True):
        out[near[near >= 0]] = own[near >= 0]
    return by_row


TOY_QUERY = normalised([[1, 0]])
TOY_GALLERY = normalised([[0.8, 0.6], [0.6, 0.8], [0, 1]])


def test_average_query_expansion_by_hand() -> None:
    """The query and its two nearest items, each with the weight 1."""
    x, y = 1 + 0.8 + 0.6, 0 + 0.6 + 0.8
    length = sqrt(x * x + y * y)
    expected = [(0.8 * x + 0.6 * y) / length, (0.6 * x + 0.8 * y) / length, y / length]
    entry = {"kind": "alpha-qe", "k": 2, "alpha": 0}
    assert scores_of(entry, TOY_QUERY, TOY_GALLERY)[0] == pytest.approx(expected, abs=1e-6)


def test_alpha_query_expansion_by_hand() -> None:
    """The cosines 0.8 and 0.6 to the power 3 are the weights of the two nearest items."""
    first, second = 0.8 * 0.8 * 0.8, 0.6 * 0.6 * 0.6
    x, y = 1 + first * 0.8 + second * 0.6, first * 0.6 + second * 0.8
    length = sqrt(x * x + y * y)
    expected = [(0.8 * x + 0.6 * y) / length, (0.6 * x + 0.8 * y) / length, y / length]
    entry = {"kind": "alpha-qe", "k": 2, "alpha": 3}
    assert scores_of(entry, TOY_QUERY, TOY_GALLERY)[0] == pytest.approx(expected, abs=1e-6)


def test_a_negative_cosine_has_no_weight_but_counts_in_the_average() -> None:
    gallery = normalised([[-1, 0]])
    powered = scores_of({"kind": "alpha-qe", "k": 1, "alpha": 1}, TOY_QUERY, gallery)
    assert powered[0] == pytest.approx([-1])  # the query alone
    gallery = normalised([[-0.6, 0.8]])
    x, y = 1 - 0.6, 0.8
    averaged = scores_of({"kind": "alpha-qe", "k": 1, "alpha": 0}, TOY_QUERY, gallery)
    assert averaged[0] == pytest.approx([(-0.6 * x + 0.8 * y) / sqrt(x * x + y * y)], abs=1e-6)


def test_database_augmentation_by_hand() -> None:
    """Cosines between the items: 0.96 (1, 2), 0.6 (1, 3), 0.8 (2, 3)."""
    half = (2 - 1) / 2  # the second neighbour has the weight (2 - 2) / 2
    sums = [
        (0.8 + half * 0.6, 0.6 + half * 0.8),
        (0.6 + half * 0.8, 0.8 + half * 0.6),
        (0 + half * 0.6, 1 + half * 0.8),
    ]
    expected = [x / sqrt(x * x + y * y) for x, y in sums]
    linear = scores_of({"kind": "dba", "k": 2}, TOY_QUERY, TOY_GALLERY)
    assert linear[0] == pytest.approx(expected, abs=1e-6)
    sums = [(0.8 + 0.6, 0.6 + 0.8), (0.6 + 0.8, 0.8 + 0.6), (0 + 0.6, 1 + 0.8)]
    expected = [x / sqrt(x * x + y * y) for x, y in sums]
    equal = scores_of({"kind": "dba", "k": 1, "weights": "equal"}, TOY_QUERY, TOY_GALLERY)
    assert equal[0] == pytest.approx(expected, abs=1e-6)


def test_diffusion_by_hand() -> None:
    """y is 0.8 and 0.6 for the two hits nearest to the query; the walk continues by half."""
    entry = {"kind": "diffusion", "k": 2, "kq": 2, "alpha": 0.5, "gamma": 1}
    # One neighbour each: items 1 and 2 have each other, item 3 has item 2 but not vice versa.
    # Both row sums of W are 0.96, so S has the one entry 0.96 / sqrt(0.96 * 0.96) = 1:
    # f1 - 0.5 f2 = 0.8 and f2 - 0.5 f1 = 0.6.
    expected = [(0.8 + 0.5 * 0.6) / (1 - 0.25), (0.6 + 0.5 * 0.8) / (1 - 0.25), 0]
    assert scores_of(entry, TOY_QUERY, TOY_GALLERY)[0] == pytest.approx(expected, abs=1e-6)


def test_diffusion_on_a_whole_graph_by_hand() -> None:
    """All pairs are mutual; with gamma 3, weights and values are cosines to the power 3."""
    entry = {"kind": "diffusion", "k": 3, "kq": 1, "alpha": 0.9, "gamma": 3}
    near, far, middle = 0.96**3, 0.6**3, 0.8**3  # items 1 and 2, 1 and 3, 2 and 3
    sums = near + far, near + middle, far + middle
    s12 = near / sqrt(sums[0] * sums[1])
    s13 = far / sqrt(sums[0] * sums[2])
    s23 = middle / sqrt(sums[1] * sums[2])
    f1, f2, f3 = scores_of(entry, TOY_QUERY, TOY_GALLERY)[0]
    assert f1 - 0.9 * (s12 * f2 + s13 * f3) == pytest.approx(0.8**3, abs=1e-5)
    assert f2 - 0.9 * (s12 * f1 + s23 * f3) == pytest.approx(0, abs=1e-5)
    assert f3 - 0.9 * (s13 * f1 + s23 * f2) == pytest.approx(0, abs=1e-5)


def test_superglobal_by_hand() -> None:
    """With k 1 and beta 0.5, the weights are 0.5 * 0.96 (items 1, 2) and 0.5 * 0.8 (3)."""
    w1, w2, w3 = 0.5 * 0.96, 0.5 * 0.96, 0.5 * 0.8
    refined = [
        ((0.8 + w1 * 0.6) / (1 + w1), (0.6 + w1 * 0.8) / (1 + w1)),
        ((0.6 + w2 * 0.8) / (1 + w2), (0.8 + w2 * 0.6) / (1 + w2)),
        ((0 + w3 * 0.6) / (1 + w3), (1 + w3 * 0.8) / (1 + w3)),
    ]
    # The two refined hits nearest to the query are the first ones: x is larger in the first,
    # y in the second.
    x, y = refined[0][0], refined[1][1]
    expected = [(own + own * x + other * y) / 2 for own, other in refined]
    entry = {"kind": "superglobal", "k": 1, "beta": 0.5}
    assert scores_of(entry, TOY_QUERY, TOY_GALLERY)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("k2", [1, 2])
def test_k_reciprocal_encoding_by_hand(k2: int) -> None:
    """The lists of two neighbours are q: 1 2, 1: 2 q, 2: 1 3 and 3: 2 1.

    Mutual neighbours are therefore q: 1, 1: q 2, 2: 1 3 and 3: 2. Lists of half the length, q:
    1, 1: 2, 2: 1 and 3: 2, have the mutual pair 1 and 2, which extends no set.
    """
    # Squared distances 2 - 2 cos, divided by the greatest of the row: q has 0.4, 0.8, 2; item
    # 1 has 0.4 (q), 0.08, 0.8; item 2 has 0.8 (q), 0.08, 0.4; item 3 has 2 (q), 0.8, 0.4.
    to_query = [0.4 / 2, 0.8 / 2, 2 / 2]
    weights: list[dict[str, float]] = [
        {"q": 1, "1": exp(-0.4 / 2)},
        {"q": exp(-0.4 / 0.8), "1": 1, "2": exp(-0.08 / 0.8)},
        {"1": exp(-0.08 / 0.8), "2": 1, "3": exp(-0.4 / 0.8)},
        {"2": exp(-0.4 / 2), "3": 1},
    ]
    vectors = [
        [row.get(node, 0) / sum(row.values()) for node in ("q", "1", "2", "3")]
        for row in weights
    ]
    if k2 == 2:  # the mean with the nearest other node: 1 for q, 2 for 1, 1 for 2 and 2 for 3
        means = [(0, 1), (1, 2), (2, 1), (3, 2)]
        vectors = [
            [(a + b) / 2 for a, b in zip(vectors[m], vectors[n], strict=True)] for m, n in means
        ]
    expected = []
    for distance, vector in zip(to_query, vectors[1:], strict=True):
        overlap = sum(min(a, b) for a, b in zip(vectors[0], vector, strict=True))
        jaccard = 1 - overlap / (2 - overlap)
        expected.append(-(0.7 * jaccard + 0.3 * distance))
    entry = {"kind": "k-reciprocal", "k1": 2, "k2": k2, "weight": 0.3}
    assert scores_of(entry, TOY_QUERY, TOY_GALLERY)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_the_scores_are_those_of_the_plain_reference(entry: dict[str, Any]) -> None:
    gallery, queries = clustered(60), clustered(5, seed=1)
    scores = scores_of(entry, queries, gallery)
    for query, own in zip(queries, scores, strict=True):
        expected = reference(entry, query, gallery)
        assert own == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_an_excluded_item_counts_as_if_the_gallery_lacked_it(entry: dict[str, Any]) -> None:
    """A query that is an item of the gallery changes its own place only."""
    gallery = clustered(40)
    queries, own = gallery[:3], np.array([[0, 7], [1, -1], [2, 30]])
    scores = scores_of(entry, queries, gallery, excluded=own)
    for query, rows, found in zip(queries, own, scores, strict=True):
        left = np.setdiff1d(np.arange(40), rows)
        assert np.isnan(np.delete(found, left)).all()
        expected = scores_of(entry, query[None], gallery[left])[0]
        assert found[left] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
def test_a_filtered_search_has_a_smaller_gallery(entry: dict[str, Any]) -> None:
    gallery, query = clustered(40), clustered(1, seed=2)
    allowed = np.arange(40) % 3 > 0
    found = scores_of(entry, query, gallery, allowed=allowed)[0]
    expected = scores_of(entry, query, gallery[allowed])[0]
    assert found[allowed] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[~allowed]).all()


@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
def test_a_gallery_smaller_than_k_is_ranked(entry: dict[str, Any]) -> None:
    gallery, query = clustered(3), clustered(1, seed=2)
    scores = scores_of(entry, query, gallery)[0]
    assert scores == pytest.approx(reference(entry, query[0], gallery), abs=1e-6)
    alone = scores_of(entry, query, gallery[:1])
    assert np.isfinite(alone).all()


@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
def test_equal_items_keep_the_order_of_the_first_search(entry: dict[str, Any]) -> None:
    gallery = clustered(30)
    gallery[20] = gallery[10]
    _, rows = applied(entry, gallery).search(batch(gallery[10:11]), 30)
    places = rows[0].tolist()
    assert places.index(10) < places.index(20)
    assert sorted(places) == list(range(30))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "alpha-qe"])
def test_hits_behind_the_first_ones_keep_their_order(kind: str) -> None:
    gallery, query = clustered(30), clustered(1, seed=2)
    before = INDEXES.build({"kind": "exact"}, "x").build(Vectors.from_array(gallery))
    _, first = before.search(query, 30)
    scores, rows = applied({"kind": kind, "top": 12}, gallery).search(batch(query), 30)
    assert sorted(rows[0, :12].tolist()) == sorted(first[0, :12].tolist())
    assert rows[0, 12:].tolist() == first[0, 12:].tolist()
    assert np.isfinite(scores[0, :12]).all()
    assert np.isnan(scores[0, 12:]).all()


def test_an_augmented_item_has_one_score_in_short_and_whole_lists() -> None:
    gallery, query = clustered(40), clustered(1, seed=2)
    whole = scores_of({"kind": "dba", "top": 40}, query, gallery)[0]
    short = scores_of({"kind": "dba", "top": 9}, query, gallery)[0]
    listed = np.isfinite(short)
    assert listed.sum() == 9
    assert short[listed] == pytest.approx(whole[listed], abs=1e-7)


@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
def test_threads_batches_and_memory_change_no_bit(
    entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch, several_threads: None
) -> None:
    gallery, queries = clustered(70), clustered(9, seed=3)
    expected = scores_of(entry, queries, gallery)
    monkeypatch.setattr(base, "thread_count", lambda: 1)
    assert scores_of(entry, queries, gallery).tobytes() == expected.tobytes()
    alone = [scores_of(entry, query[None], gallery) for query in queries]
    assert np.concatenate(alone).tobytes() == expected.tobytes()
    # Lists of neighbours of few items fit, so they are searched again and again.
    little = scores_of(entry, queries, gallery, memory=8 * 8 * 20 * 12)
    assert little.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "index", [{"kind": "faiss"}, {"kind": "faiss", "factory": "IVF4,Flat"}]
)
@pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)
def test_the_hits_of_other_indexes_are_re_ranked(
    entry: dict[str, Any], index: dict[str, Any]
) -> None:
    gallery, queries = clustered(200), clustered(3, seed=3)
    everything = index | ({"nprobe": 4} if "factory" in index else {})
    expected = scores_of(entry, queries, gallery)
    assert scores_of(entry, queries, gallery, index=everything) == pytest.approx(
        expected, abs=1e-5, nan_ok=True
    )


def test_equal_scores_keep_their_order() -> None:
    scores = np.array([[1, 2, 2, -np.inf, 1]], np.float32)
    assert new_order(scores).tolist() == [[1, 2, 0, 4, 3]]


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"test: alpah: unknown key; did you mean 'alpha'"):
        RERANKERS.build({"kind": "alpha-qe", "alpah": 3}, "test")
    with pytest.raises(ConfigError, match="test: top"):
        RERANKERS.build({"kind": "dba", "top": 0}, "test")
    with pytest.raises(UnknownNameError, match="no reranker kind named 'aqe'"):
        RERANKERS.build({"kind": "aqe"}, "test")
    with pytest.raises(ConfigError, match="test: weights"):
        RERANKERS.build({"kind": "dba", "weights": "square"}, "test")
