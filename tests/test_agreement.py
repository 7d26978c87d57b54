"""Metrics agree with scikit-learn, torchmetrics and pytorch-metric-learning to 1e-6."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from likewise.evaluation.metrics import METRICS, measure
from likewise.evaluation.ranking import Groups, RelevantRanks, rank_vectors
from likewise.formats.array_types import BoolArray, Float32Array, Float64Array, Int64Array

pytestmark = pytest.mark.torch

CLASSES = 15


def vectors(count: int = 300, seed: int = 0) -> tuple[Float32Array, Int64Array]:
    """Make unit vectors with many negative products, in classes of 10 to 30."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    found = rng.standard_normal((count, 12)) + rng.standard_normal((CLASSES, 12))[labels]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32), labels


def ranked(found: Float32Array, labels: Int64Array) -> RelevantRanks:
    itself = [Groups.one(np.arange(len(labels)))]
    return rank_vectors(found, found, Groups.alike(labels, labels), itself).ranked


def others(found: Float32Array, labels: Int64Array) -> tuple[Float32Array, BoolArray]:
    """Return the scores of all other items for every query, and which of them are relevant."""
    count = len(labels)
    keep = ~np.eye(count, dtype=bool)
    scores = (found @ found.T)[keep].reshape(count, count - 1)
    alike = (labels[:, None] == labels[None, :])[keep].reshape(count, count - 1)
    return scores, alike


def test_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    scores, alike = others(*vectors())
    mine = ranked(*vectors())
    ap = [sklearn.average_precision_score(y, s) for y, s in zip(alike, scores, strict=True)]
    assert measure("ap", mine) == pytest.approx(ap, abs=1e-6)
    for name, k in (("ndcg", None), ("ndcg@10", 10), ("ndcg-linear@10", 10)):
        gain = [
            sklearn.ndcg_score(y[None].astype(float), s[None], k=k)
            for y, s in zip(alike, scores, strict=True)
        ]
        assert measure(name, mine) == pytest.approx(gain, abs=1e-6)
    rank = [
        sklearn.label_ranking_average_precision_score(y[None], s[None])
        for y, s in zip(alike, scores, strict=True)
    ]
    assert measure("ap", mine) == pytest.approx(rank, abs=1e-6)
    top = sklearn.top_k_accuracy_score
    # Photos 0 to 14, one per class; scores of a sketch are those of a classifier.
    found, labels = vectors()
    photos = found[:CLASSES]
    against = Groups.alike(labels, np.arange(CLASSES))
    sketches = rank_vectors(found, photos, against).ranked
    for k in (1, 5, 10):
        expected = top(labels, found @ photos.T, k=k, labels=np.arange(CLASSES))
        assert measure(f"acc@{k}", sketches).mean() == pytest.approx(expected, abs=1e-6)


def torchmetrics_of(name: str, k: int | None, lowest: float) -> Float64Array:
    """Call the function of torchmetrics per query; raise scores above 0 if requested."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torchmetrics.functional.retrieval as peer
    scores, alike = others(*vectors())
    function: Any = getattr(peer, f"retrieval_{name}")
    extra = {} if k is None else {"top_k": k}
    return np.array(
        [
            float(function(torch.tensor(s - min(lowest, 0)), torch.tensor(y), **extra))
            for s, y in zip(scores, alike, strict=True)
        ]
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "k"),
    [
        ("ap", "average_precision", None),
        ("ap-hits@10", "average_precision", 10),
        ("mrr", "reciprocal_rank", None),
        ("mrr@3", "reciprocal_rank", 3),
        ("precision@7", "precision", 7),
        ("ir-recall@7", "recall", 7),
        ("recall@2", "hit_rate", 2),
        ("r-precision", "r_precision", None),
        ("ndcg", "normalized_dcg", None),
        ("ndcg@5", "normalized_dcg", 5),
    ],
)
def test_torchmetrics_of_positive_scores(ours: str, theirs: str, k: int | None) -> None:
    pytest.importorskip("torchmetrics")
    expected = torchmetrics_of(theirs, k, lowest=-1.5)
    assert measure(ours, ranked(*vectors())) == pytest.approx(expected, abs=1e-6)


def test_torchmetrics_drops_relevant_items_whose_score_is_not_positive() -> None:
    """A crosswalk has separate rows for torchmetrics; our metrics do not depend on the sign."""
    pytest.importorskip("torchmetrics")
    theirs = torchmetrics_of("average_precision", None, lowest=0)
    ours = measure("ap", ranked(*vectors()))
    assert np.abs(theirs - ours).max() > 0.01
    scores, alike = others(*vectors())
    lost = (alike & (scores <= 0)).any(axis=1)
    assert theirs[~lost] == pytest.approx(ours[~lost], abs=1e-6)


def test_pytorch_metric_learning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("pytorch_metric_learning")
        from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    import torch

    found, labels = vectors()
    labels[0] = 99  # neither scores a class of one item
    names = {
        "precision_at_1": "recall@1",
        "r_precision": "r-precision",
        "mean_average_precision_at_r": "map@r",
        "mean_average_precision": "ap",
        "mean_reciprocal_rank": "mrr",
    }
    peer = AccuracyCalculator(include=tuple(names), device=torch.device("cpu"))
    theirs = peer.get_accuracy(found, labels)
    mine = ranked(found, labels)
    for name, ours in names.items():
        assert np.nanmean(measure(ours, mine)) == pytest.approx(theirs[name], abs=1e-6)


NAMES = [name if m.rank == "none" else f"{name}@4" for name, m in METRICS.items()]
NAMES += [name for name, m in METRICS.items() if m.rank == "possible"]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_what_every_metric_promises(seed: int) -> None:
    """Metrics are in 0 to 1, and do not depend on gallery order, scale and sign of scores."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 40))
    found = rng.standard_normal((count, 3)).astype(np.float32)
    labels = rng.integers(0, max(count // 3, 1), count)
    scores = np.sort(found.astype(np.float64) @ found.T.astype(np.float64), axis=1)
    assume((np.diff(scores, axis=1) > 1e-4).all())  # float32 also distinguishes them next to 64
    order = rng.permutation(count)
    first, moved = ranked(found, labels), ranked(found[order], labels[order])
    larger = ranked(found * 8, labels)
    # One more dimension moves all scores below 0: the ranking is the same.
    asked = np.concatenate([found, -np.ones((count, 1), np.float32)], axis=1)
    below = np.concatenate([found, np.full((count, 1), 64, np.float32)], axis=1)
    alike, itself = Groups.alike(labels, labels), [Groups.one(np.arange(count))]
    negative = rank_vectors(asked, below, alike, itself).ranked
    alone = np.bincount(labels)[labels] == 1
    for name in NAMES:
        values = measure(name, first)
        if not name.startswith("ap-hits"):
            assert np.isnan(values[alone]).all(), name
            assert not np.isnan(values[~alone]).any(), name
        assert ((values[~alone] >= 0) & (values[~alone] <= 1 + 1e-12)).all(), name
        assert measure(name, moved) == pytest.approx(values[order], nan_ok=True), name
        for other in (larger, negative):
            assert measure(name, other) == pytest.approx(values, nan_ok=True), name


@pytest.mark.parametrize("name", NAMES)
def test_all_of_one_class_is_perfect_and_nobody_is_nothing(name: str) -> None:
    found, _ = vectors(30)
    one = ranked(found, np.zeros(30, np.int64))
    best = {"ir-recall@4": 4 / 29, "ap@4": 4 / 29}.get(name, 1.0)
    assert measure(name, one) == pytest.approx(np.full(30, best))
    nobody = ranked(found, np.arange(30))
    values = measure(name, nobody)
    assert np.isnan(values).all() or (name.startswith("ap-hits") and not values.any())
