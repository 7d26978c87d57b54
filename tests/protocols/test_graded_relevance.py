"""Graded relevance agrees with scikit-learn, and with sums written out."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from likewise.errors import DataError
from likewise.evaluation.metrics import measure
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.definitions import score_by_definitions
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import Float32Array


def evaluated(
    rows: pl.DataFrame, vectors: Float32Array, lists: Any = None, scores: Any = None
) -> Evaluation:
    protocol = PROTOCOLS.build({"kind": "qrels"}, "here")
    if lists is None:
        return protocol.evaluate_vectors(vectors, rows)
    return protocol.evaluate_lists(lists, rows, scores=scores)


def frame(
    relevant: list[Any], grades: list[Any] | None, gallery: int
) -> tuple[pl.DataFrame, Float32Array]:
    """Make queries at 0 degrees, and ``gallery`` items d0, d1 ... at 1, 2 ... degrees."""
    count, queries = len(relevant) + gallery, len(relevant)
    columns: dict[str, Any] = {
        "item_id": [f"q{row}" for row in range(queries)] + [f"d{n}" for n in range(gallery)],
        "label": None,
        "subset": None,
        "role": ["query"] * queries + ["gallery"] * gallery,
        "relevant": relevant + [None] * gallery,
    }
    if grades is not None:
        columns["grades"] = grades + [None] * gallery
    rows = pl.DataFrame(
        columns, schema_overrides={"label": pl.String, "subset": pl.String}, height=count
    )
    radians = np.radians([0.0] * queries + [1.0 + n for n in range(gallery)])
    return rows, np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_gains_by_hand() -> None:
    # The ranking is d0, d1, d2, d3; the judged grades are 0, 1, 3, 2, and -1 (not ranked).
    rows, vectors = frame(
        [["d2", "d1", "d0", "d3"], ["d3"], [], None, ["d0"]],
        [[3, 1, 0, 2], [2], [], None, [0]],
        gallery=4,
    )
    result = evaluated(rows, vectors)
    linear = 1 / math.log2(3) + 3 / math.log2(4) + 2 / math.log2(5)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    # The second query finds its only item at rank 4; the third and the fifth have none.
    values = [linear / ideal, 1 / math.log2(5), 0, None, 0]
    assert result.queries["value"].to_list() == pytest.approx(values)
    mean = (linear / ideal + 1 / math.log2(5) + 0 + 0) / 4
    assert result.unrounded["nDCG@10"] == pytest.approx(mean)
    exponential = 1 / math.log2(3) + 7 / math.log2(4) + 3 / math.log2(5)
    best = 7 / math.log2(2) + 3 / math.log2(3) + 1 / math.log2(4)
    first = result.queries["ndcg-exponential@10"][0]
    assert first == pytest.approx(exponential / best)
    # At rank 1 is d0, which was judged not relevant.
    assert result.queries["ndcg-linear@1"][0] == 0
    assert result.queries["relevant"].to_list() == [3, 1, 0, 0, 0]
    assert result.unrounded["mrr@10"] == pytest.approx((1 / 2 + 1 / 4 + 0 + 0) / 4)
    assert "queries without relevant items, scored 0: 2" in result.notes
    assert result.counts["queries"] == 4


def test_without_grades_all_listed_items_have_the_grade_1() -> None:
    rows, vectors = frame([["d1", "d2"]], None, gallery=4)
    result = evaluated(rows, vectors)
    found = (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert result.unrounded["nDCG@10"] == pytest.approx(found)
    assert result.unrounded["ndcg-exponential@10"] == pytest.approx(found)


def judged(seed: int, queries: int = 12, gallery: int = 60) -> tuple[pl.DataFrame, Any, Any]:
    """Make random judgements of a random part of the gallery, with ties of vectors."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(-1, 5, (queries, gallery)) * (rng.random((queries, gallery)) < 0.4)
    grades[:, 0] = 2
    names = np.array([f"d{n}" for n in range(gallery)])
    lists = [names[np.flatnonzero(row)].tolist() for row in grades]
    rows, _ = frame(lists, [row[row != 0].tolist() for row in grades], gallery)
    vectors = rng.choice([-1, 1], (queries + gallery, 4)).astype(np.float32)
    return rows, vectors, np.maximum(grades, 0)


@pytest.mark.parametrize("seed", [0, 1])
def test_scikit_learn_with_its_gains(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rows, vectors, grades = judged(seed)
    result = evaluated(rows, vectors)
    scores = vectors[:12] @ vectors[12:].T
    order = np.argsort(-scores, axis=1, kind="stable")
    place = -np.argsort(order, axis=1).astype(float)  # no ties, in the gallery's order
    for name, k, gains in (
        ("nDCG@10", 10, grades),
        ("ndcg-linear@100", 100, grades),
        ("ndcg-linear@5", 5, grades),
        ("ndcg-exponential@10", 10, 2.0**grades - 1),
    ):
        expected = metrics.ndcg_score(gains, place, k=k)
        assert result.unrounded[name] == pytest.approx(expected, abs=1e-6), name
    # Lists of an index score alike, and the ideal list holds what a short list misses.
    lists = evaluated(rows, vectors, order, np.take_along_axis(scores, order, 1))
    assert lists.unrounded == pytest.approx(result.unrounded)
    short = measure(
        "ndcg-linear",
        RelevantRanks(
            np.array([0, 1]),
            np.array([2]),
            np.array([2]),
            3,
            complete=False,
            grades=np.array([1]),
            best=np.array([3, 1]),
        ),
    )
    assert short == pytest.approx((1 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_a_crosswalk_shows_both_gains() -> None:
    rows, vectors, _ = judged(2)
    protocol = PROTOCOLS.build({"kind": "qrels"}, "here")
    assert isinstance(protocol, Retrieval)
    values = {d.metric: value for d, value in score_by_definitions(protocol, vectors, rows)}
    metrics = protocol.evaluate_vectors(vectors, rows).unrounded
    assert values["ndcg-linear@10"] == pytest.approx(metrics["nDCG@10"])
    assert values["ndcg-exponential@10"] == pytest.approx(metrics["ndcg-exponential@10"])


@pytest.mark.parametrize(
    ("relevant", "grades", "message"),
    [
        (["d0", "d1"], [1], "not one grade for every id of relevant in q0"),
        (["d0"], [1.5], "grades: expected whole numbers, one for every id of relevant"),
        (["d0"], [None], "grades: expected whole numbers, one for every id of relevant"),
        (["d0"], ["high"], "grades: expected lists of whole numbers, found List"),
        (["d9"], [1], "relevant: no item is called d9"),
        (["d0"], [0], "no query has a relevant item in the gallery"),
    ],
)
def test_wrong_judgements_are_refused(
    relevant: list[str], grades: list[Any], message: str
) -> None:
    values = grades if grades != [None] else pl.Series([None], dtype=pl.Int64)
    rows, vectors = frame([relevant], [values], gallery=3)
    with pytest.raises(DataError, match=message):
        evaluated(rows, vectors)


def test_an_item_listed_twice_has_its_higher_grade() -> None:
    rows, vectors = frame([["d0", "d1", "d0"]], [[1, 2, 3]], gallery=3)
    # d0 with 3 and d1 with 2 are in the ideal order.
    assert evaluated(rows, vectors).unrounded["nDCG@10"] == pytest.approx(1)
