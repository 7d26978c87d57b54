"""Protocols that predict a class: votes of neighbours, and a linear classifier."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.logistic import fit
from likewise.formats.array_types import Float32Array, Int64Array


def rows(labels: list[str | None], split: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(len(labels))], "label": labels, "split": split},
        schema_overrides={"label": pl.String, "split": pl.String},
    ).with_columns(subset=pl.lit(None, pl.String))


def unit(angles: list[float]) -> Float32Array:
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def clusters(seed: int = 0, count: int = 240) -> tuple[Float32Array, pl.DataFrame, Int64Array]:
    """Make three classes that overlap; two of three items are for training."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    found = rng.standard_normal((count, 6)) + 1.3 * rng.standard_normal((3, 6))[labels]
    split = ["train" if n % 3 else "test" for n in range(count)]
    return (
        found.astype(np.float32),
        rows([f"c{label}" for label in labels], list(split)),
        labels,
    )


def test_neighbours_vote_the_nearer_the_more() -> None:
    # One training item of a at 10 degrees, two of b at 16 and 20; the test item at 0.
    given = rows(["a", "b", "b", "a"], ["train", "train", "train", "test"])
    knn = PROTOCOLS.build({"kind": "knn"}, "here")
    found = knn.evaluate_vectors(unit([10, 16, 20, 0]), given)
    votes = {angle: math.exp(math.cos(math.radians(angle)) / 0.07) for angle in (10, 16, 20)}
    assert votes[10] < votes[16] + votes[20]
    assert found.queries["predicted"].to_list() == ["b"]
    assert found.metrics == {"accuracy": 0.0, "accuracy@5": 1.0, "accuracy by class": 0.0}
    # A little nearer, and a wins alone.
    nearer = knn.evaluate_vectors(unit([10, 24, 29, 0]), given)
    assert nearer.queries["predicted"].to_list() == ["a"]
    assert nearer.queries["hits"].to_list() == [["i0", "i1", "i2"]]


def test_only_twenty_neighbours_vote() -> None:
    given = rows([*["a"] * 20, *["b"] * 60, "a"], [*["train"] * 80, "test"])
    angles = [*[1.0] * 20, *[1.1] * 60, 0.0]
    knn = PROTOCOLS.build({"kind": "knn"}, "here")
    assert knn.evaluate_vectors(unit(angles), given).metrics["accuracy"] == 1


def test_neighbours_are_those_of_a_peer() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    found, given, labels = clusters()
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    train = (given["split"] == "train").to_numpy()
    peer = neighbors.KNeighborsClassifier(
        20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
    )
    named = peer.fit(found[train], labels[train]).predict(found[~train])
    mine = PROTOCOLS.build({"kind": "knn"}, "here").evaluate_vectors(found, given)
    assert mine.queries["predicted"].to_list() == [f"c{one}" for one in named]
    assert mine.metrics["accuracy"] == round(float((named == labels[~train]).mean()), 4)


def test_an_indexs_hits_vote_as_exact_ones() -> None:
    found, given, _ = clusters()
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    knn = PROTOCOLS.build({"kind": "knn"}, "here")
    sets = knn.query_sets(given)
    scores = found[sets.queries] @ found[sets.gallery].T
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :30]
    ranked = np.take_along_axis(scores, lists, axis=1)
    by_lists = knn.evaluate_lists(lists, given, scores=ranked)
    assert by_lists.metrics == knn.evaluate_vectors(found, given).metrics
    with pytest.raises(DataError, match="ranked lists have no scores"):
        knn.evaluate_lists(lists, given)


@pytest.mark.parametrize("penalty", [1e-1, 1e-3])
def test_the_classifier_is_that_of_a_peer(penalty: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    found, _, labels = clusters()
    mine = fit(found, labels, 3, penalty)
    # scikit-learn sums the losses and Likewise takes their mean: C = 1 / (n * penalty).
    peer = linear.LogisticRegression(C=1 / (len(labels) * penalty), tol=1e-8, max_iter=5_000)
    theirs = peer.fit(found.astype(np.float64), labels).decision_function(found)
    scores = mine.scores(found)
    # Only differences between the scores of a softmax matter.
    centred = scores - scores.mean(axis=1, keepdims=True)
    assert centred == pytest.approx(theirs - theirs.mean(axis=1, keepdims=True), abs=5e-3)


def test_a_probe_draws_a_line_where_there_is_one() -> None:
    found, given, labels = clusters()
    probe = PROTOCOLS.build({"kind": "linear-probe"}, "here")
    steps: list[tuple[int, int]] = []
    result = probe.evaluate_vectors(found, given, progress=lambda *at: steps.append(at))
    assert result.metrics["accuracy"] > 0.7
    assert steps[-1] == (7, 7)
    assert result.notes[-1].startswith("the penalty is ")
    test = (given["split"] == "test").to_numpy()
    right = [
        f"c{label}" == name
        for label, name in zip(labels[test], result.queries["predicted"], strict=True)
    ]
    assert result.queries["value"].to_list() == [float(one) for one in right]
    by_class = [np.mean(np.array(right)[labels[test] == label]) for label in range(3)]
    assert result.metrics["accuracy by class"] == round(float(np.mean(by_class)), 4)
    again = probe.evaluate_vectors(found, given)
    assert again.metrics == result.metrics
    assert again.queries.equals(result.queries)


KINDS = ["knn", "linear-probe"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_learned_or_scored(kind: str) -> None:
    protocol = PROTOCOLS.build({"kind": kind}, "here")
    vectors = unit([0, 10, 20, 90])
    with pytest.raises(DataError, match="no item has the split train; the values are: test"):
        protocol.evaluate_vectors(vectors, rows(["a"] * 4, ["test"] * 4))
    with pytest.raises(DataError, match="there are no training items: no item has the split"):
        protocol.evaluate_vectors(vectors, rows(["a"] * 4, [None] * 4))
    split: list[Any] = ["train", "train", "test", "test"]
    with pytest.raises(DataError, match="no test item has a label that occurs in"):
        protocol.evaluate_vectors(vectors, rows(["a", "b", "c", None], split))
    result = protocol.evaluate_vectors(vectors, rows(["a", "b", "b", "c"], split))
    assert result.counts["queries"] == 1
    assert result.queries["value"].to_list()[1] is None
    assert any("not scored: 1" in note for note in result.notes)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_rows_does_not_matter_to_neighbours(kind: str) -> None:
    found, given, _ = clusters()
    order = np.random.default_rng(3).permutation(len(given))
    protocol = PROTOCOLS.build({"kind": kind}, "here")
    shuffled = protocol.evaluate_vectors(found[order], given[order]).metrics
    # A probe holds out every fifth item, so it may choose another penalty.
    expected = protocol.evaluate_vectors(found, given).metrics
    assert shuffled == (expected if kind == "knn" else pytest.approx(expected, abs=0.05))
    assert protocol.describe()["name"] == kind


def test_lists_are_nothing_to_a_probe() -> None:
    probe = PROTOCOLS.build({"kind": "linear-probe"}, "here")
    given = rows(["a", "a"], ["train", "test"])
    with pytest.raises(DataError, match="linear-probe scores vectors, not ranked lists; give"):
        probe.query_sets(given)
    with pytest.raises(DataError, match="linear-probe scores vectors"):
        probe.evaluate_lists(np.zeros((1, 1), np.int64), given)
