"""Verification (same or different), by hand and compared with scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.verification import auc, equal_error_rate


def scored(
    pairs: list[list[str] | None], angles: list[float], level: str = "easy"
) -> Evaluation:
    radians = np.radians(angles)
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    rows = pl.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(len(angles))],
            "label": [f"l{n % 3}" for n in range(len(angles))],
            "subset": [None] * len(angles),
            "pairs": pairs,
        },
        schema_overrides={"subset": pl.String, "pairs": pl.List(pl.String)},
    )
    protocol = PROTOCOLS.build({"kind": f"verification-{level}"}, "here")
    return protocol.evaluate_vectors(vectors, rows)


def test_by_hand() -> None:
    # Same: i0 and i1 (cosine of 10 degrees), i3 and i2 (30); different: 60, 50 and 90 degrees.
    pairs: list[list[str] | None] = [["easy 1 i1", "easy 0 i2", "hard 1 i3"], ["easy 0 i2"]]
    pairs += [None, ["easy 0 i4", "easy 1 i2"], None]
    found = scored(pairs, [0, 10, 60, 90, 180])
    # Both same pairs have higher scores than all different pairs.
    assert found.metrics == {"ROC-AUC": 1.0, "EER": 0.0, "accuracy": 1.0}
    assert found.queries["item_id"].to_list()[0] == "i0 and i1"
    assert found.queries["score"].to_list()[:2] == pytest.approx(
        [np.cos(np.radians(10)), np.cos(np.radians(60))], abs=1e-6
    )
    assert found.counts == {"queries": 5, "gallery": 5, "labels": 2}
    with pytest.raises(DataError, match="pairs of both kinds; all 1 are same"):
        scored(pairs, [0, 10, 60, 90, 180], "hard")
    with pytest.raises(DataError, match="no pair has the level medium; levels: easy, hard"):
        scored(pairs, [0, 10, 60, 90, 180], "medium")


def test_areas_and_error_rates_by_hand() -> None:
    scores, same = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    # Of four pairs of pairs, only 0.35 under 0.4 is wrong.
    assert auc(scores, same) == 3 / 4
    # At 0.4, half of the same pairs are rejected and half of the different ones accepted.
    assert equal_error_rate(scores, same) == 1 / 2
    assert auc(np.ones(4), same) == 1 / 2
    assert np.isnan(auc(scores, np.ones(4, bool)))
    assert np.isnan(equal_error_rate(scores, np.zeros(4, bool)))


def test_a_peer() -> None:
    peer = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    same = rng.random(500) < 0.5
    scores = np.round(rng.normal(same * 0.8, 1), 1)  # many tie
    assert auc(scores, same) == pytest.approx(peer.roc_auc_score(same, scores), abs=1e-6)
    let_in, right, _ = peer.roc_curve(same, scores, drop_intermediate=False)
    at = np.abs(1 - right - let_in).argmin()
    expected = (1 - right[at] + let_in[at]) / 2
    assert equal_error_rate(scores, same) == pytest.approx(expected, abs=1e-6)


def test_thresholds_come_from_the_other_folds_and_intervals_hold_the_value() -> None:
    rng = np.random.default_rng(1)
    angles = rng.uniform(0, 90, 200)
    pairs: list[list[str] | None] = []
    for n in range(200):
        other = int(rng.integers(0, 200))
        alike = abs(angles[n] - angles[other]) + rng.normal(0, 12) < 25
        pairs.append([f"easy {int(alike)} i{other}"])
    found = scored(pairs, angles.tolist())
    assert 0.7 < found.metrics["accuracy"] < 0.95
    for name, value in found.metrics.items():
        told = found.statistics[name]
        assert told.low < value < told.high
        assert told.plain_low < value < told.plain_high
        assert told.smallest_difference > 0
    assert found.queries["value"].mean() == pytest.approx(found.metrics["accuracy"], abs=5e-5)
    assert scored(pairs, angles.tolist()).statistics == found.statistics


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("easy 2 i1", "expected a level, 0 or 1, and an item, .* found: easy 2 i1"),
        ("i1", "found: i1"),
        ("easy 1 zz", "no item is called zz"),
    ],
)
def test_pairs_that_are_none(entry: str, said: str) -> None:
    pairs: list[Any] = [[entry], None]
    with pytest.raises(DataError, match=said):
        scored(pairs, [0, 10])


@pytest.mark.parametrize("protocol", ["verification-easy", "roxford5k-easy"])
def test_lists_that_are_texts_are_refused(tmp_path: Path, protocol: str) -> None:
    columns = {name: ["easy 1 b", ""] for name in ("pairs", "easy", "hard", "junk")}
    pl.DataFrame({"item_id": ["a", "b"], **columns}).write_csv(tmp_path / "items.csv")
    np.save(tmp_path / "vectors.npy", np.eye(2, dtype=np.float32))
    with pytest.raises(DataError, match=r"reads lists of texts, .*; a table .* \.parquet file"):
        likewise.score(
            protocol, embeddings=tmp_path / "vectors.npy", items=tmp_path / "items.csv"
        )
