"""GPR1200 as in its script, and strictly; by hand and against plain definitions."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from likewise.errors import ConfigError, DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.gpr1200 import Gpr1200Script, Gpr1200Strict
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.sources.gpr1200_subsets import SUBSETS, subset_of
from likewise.storage.schema import QUERIES

SCRIPT, STRICT = Gpr1200Script(), Gpr1200Strict()


def rows_of(categories: list[int | None], subset: bool = True) -> pl.DataFrame:
    known = [None if c is None or not subset else subset_of(c) for c in categories]
    return pl.DataFrame(
        {
            "item_id": [f"{c}_{i}.jpg" for i, c in enumerate(categories)],
            "label": [None if c is None else str(c) for c in categories],
            "subset": known,
        },
        schema={"item_id": pl.String, "label": pl.String, "subset": pl.String},
    )


def small_set(per_category: int = 10) -> tuple[Float32Array, pl.DataFrame]:
    """Make unit vectors of two categories per subset; their mAP is between 0 and 1."""
    categories = [ids.start + at for ids in SUBSETS.values() for at in (0, 7)]
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((len(categories), 16))
    vectors = np.repeat(centres, per_category, axis=0)
    vectors += 1.5 * rng.standard_normal(vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), rows_of(np.repeat(categories, per_category).tolist())


def full_lists(vectors: Float32Array) -> Int64Array:
    return np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")


def plain_ap(relevant: BoolArray, divisor: int) -> float:
    """Compute the definition: precision at every relevant rank, over ``divisor``."""
    places = np.flatnonzero(relevant) + 1
    return math.fsum((j + 1) / place for j, place in enumerate(places)) / divisor


def by_script(lists: Int64Array, rows: pl.DataFrame) -> dict[str, float]:
    """Return the result of the benchmark's script for these lists."""
    labels = rows["label"].to_numpy()
    relevant = labels[lists] == labels[:, None]
    ap = np.array([plain_ap(row, max(int(row.sum()), 1)) for row in relevant])
    means = {"all": ap.mean()}
    means |= {name: ap[(rows["subset"] == name).to_numpy()].mean() for name in SUBSETS}
    return {name: round(float(value), 4) for name, value in means.items()}


def test_vectors_score_as_by_the_script() -> None:
    vectors, rows = small_set()
    expected = by_script(full_lists(vectors), rows)
    result = SCRIPT.evaluate_vectors(vectors, rows)
    assert result.metrics == expected
    assert 0.2 < expected["all"] < 0.8
    assert list(result.metrics) == [
        "all", "landmarks", "inat", "sketch", "instre", "sop", "faces"
    ]  # fmt: skip
    assert result.notes == []


def test_full_lists_score_as_their_vectors() -> None:
    vectors, rows = small_set()
    result = SCRIPT.evaluate_lists(full_lists(vectors), rows)
    assert result.metrics == SCRIPT.evaluate_vectors(vectors, rows).metrics
    assert result.notes == ["the query itself is in 120 of 120 lists, and counts as relevant"]


def test_strict_by_its_definition() -> None:
    vectors, rows = small_set()
    labels = rows["label"].to_numpy()
    lists = [row[row != i] for i, row in enumerate(full_lists(vectors))]
    relevant = [labels[row] == labels[i] for i, row in enumerate(lists)]
    ap = [plain_ap(row, 9) for row in relevant]
    result = STRICT.evaluate_vectors(vectors * 3, rows)
    assert result.metrics["mAP"] == round(float(np.mean(ap)), 4)
    assert result.metrics["mAP faces"] == round(float(np.mean(ap[100:])), 4)
    assert result.metrics["precision@1"] == round(float(np.mean([r[0] for r in relevant])), 4)
    assert result.queries["value"].to_list() == pytest.approx(ap)
    assert result.queries["relevant"].to_list() == [9] * 120
    # Without the query itself the value is lower: the script's habit raises it.
    assert result.metrics["mAP"] < SCRIPT.evaluate_vectors(vectors, rows).metrics["all"]


def test_short_lists_raise_the_scripts_number() -> None:
    vectors, rows = small_set()
    lists = full_lists(vectors)
    result = {k: SCRIPT.evaluate_lists(lists[:, :k], rows).metrics for k in (1, 10, 40, 120)}
    assert {k: by_script(lists[:, :k], rows)["all"] for k in result} == {
        k: metrics["all"] for k, metrics in result.items()
    }
    # A list of one contains only the query itself: one hit of one.
    assert result[1]["all"] == 1.0
    assert result[1]["all"] > result[10]["all"] > result[40]["all"] > result[120]["all"]
    # Divided by the class size, nine of ten are missed: 1/10.
    assert result[1]["all by class size"] == 0.1
    assert result[1]["all by class size"] < result[10]["all by class size"]
    assert result[10]["all by class size"] < result[40]["all by class size"]
    assert result[40]["all by class size"] < result[120]["all"]
    assert "all by class size" not in result[120]
    assert result[10]["faces by class size"] < result[10]["faces"]


def test_short_lists_are_explained() -> None:
    vectors, rows = small_set()
    lists = full_lists(vectors)[:, :1]
    note = SCRIPT.evaluate_lists(lists, rows).notes[-1]
    assert note.startswith("the lists hold 1 of 120 images and miss 1,080 of 1,200 relevant")
    strict = STRICT.evaluate_lists(full_lists(vectors)[:, :5], rows)
    assert strict.metrics["mAP"] < strict.metrics["mAP by hits"]
    assert strict.notes[0] == "the query itself is in 120 of 120 lists, and was taken out"


def test_lists_without_the_query_lower_the_scripts_number() -> None:
    vectors, rows = small_set()
    lists = np.array([row[row != i] for i, row in enumerate(full_lists(vectors))])
    result = SCRIPT.evaluate_lists(lists, rows)
    assert result.metrics["all"] < SCRIPT.evaluate_vectors(vectors, rows).metrics["all"]
    assert result.notes[0] == (
        "the query itself is in 0 of 120 lists; gpr1200 counts it as relevant, so the value is "
        "too low"
    )
    # For the strict protocol they are complete.
    strict = STRICT.evaluate_lists(lists, rows)
    assert strict.metrics == STRICT.evaluate_vectors(vectors, rows).metrics


def test_the_script_does_not_normalise() -> None:
    # The first vector is the longest: without normalising it is nearest to all, and to itself.
    vectors = np.array([[9, 0], [1, 1], [0, 1]], np.float32)
    rows = rows_of([0, 1, 1])
    result = SCRIPT.evaluate_vectors(vectors, rows)
    # Query 1 ranks 0, 1, 2 and query 2 ranks 1, 2, 0 (both score 1, and 1 comes first).
    assert result.metrics["all"] == round((1 + (1 / 2 + 2 / 3) / 2 + 1) / 3, 4)
    assert result.notes[0].startswith("the vectors are not L2-normalised (norms 1 to 9);")
    strict = STRICT.evaluate_vectors(vectors, rows)
    # Query 1 ties between 0 and 2 (cosine 1/sqrt 2), and 0 comes first; query 2 finds 1 first.
    assert strict.metrics["mAP"] == (1 / 2 + 1) / 2


def test_classes_of_one_and_items_without_a_label_are_not_scored_strictly() -> None:
    vectors = np.eye(5, dtype=np.float32)
    result = STRICT.evaluate_vectors(vectors, rows_of([0, 0, 7, None, None]))
    # All others tie at 0, in row order: query 0 finds 1 first, query 1 finds 0 first.
    assert result.metrics == {"mAP": 1.0, "mAP landmarks": 1.0, "precision@1": 1.0}
    assert result.queries["value"].to_list() == [1, 1, None, None, None]
    assert result.queries["first_hit"].to_list() == [1, 1, None, None, None]
    assert result.queries["relevant"].to_list() == [1, 1, 0, 0, 0]
    assert result.notes == [
        "queries without a label, not scored: 2",
        "queries whose label nothing else has, not scored: 1",
    ]
    # In the script, a class of one item finds itself: 1; only items without a label are left
    # out.
    script = SCRIPT.evaluate_vectors(vectors, rows_of([0, 0, 7, None, None]))
    assert script.queries["value"].to_list() == [1, 1, 1, None, None]


def test_nothing_to_score() -> None:
    with pytest.raises(DataError, match="no two items have the same label"):
        STRICT.evaluate_vectors(np.eye(3, dtype=np.float32), rows_of([0, 1, 2]))
    with pytest.raises(DataError, match="nothing can be scored"):
        SCRIPT.evaluate_vectors(np.zeros((0, 3), np.float32), rows_of([]))
    with pytest.raises(DataError, match="nothing can be scored"):
        SCRIPT.evaluate_lists(np.zeros((0, 3), np.int64), rows_of([]))


def test_subsets_are_in_the_benchmarks_order_and_absent_ones_left_out() -> None:
    rows = rows_of([1000, 1000, 0, 0]).with_columns(
        subset=pl.Series(["faces", "faces", "landmarks", "more"])
    )
    metrics = SCRIPT.evaluate_vectors(np.eye(4, dtype=np.float32), rows).metrics
    assert list(metrics) == ["all", "landmarks", "faces", "more"]
    bare = rows_of([0, 0], subset=False)
    assert list(SCRIPT.evaluate_vectors(np.eye(2, dtype=np.float32), bare).metrics) == ["all"]


def test_every_query_has_a_row_as_in_the_contract() -> None:
    vectors, rows = small_set()
    table = SCRIPT.evaluate_vectors(vectors, rows).queries.to_arrow()
    optional = ("by", "value_without")  # see score_by and RerankedEvaluation
    by_no_column = [name for name in QUERIES.names() if name not in optional]
    assert table.column_names == by_no_column
    assert table.num_rows == 120
    wanted = QUERIES.arrow()
    for column in ("value", "first_hit", "relevant"):
        assert table.schema.field(column).type == wanted.field(column).type
    assert table.column("first_hit").to_pylist() == [1] * 120


KINDS = [kind for kind in PROTOCOLS.kinds() if kind.startswith("gpr1200")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_rows_does_not_matter(kind: str) -> None:
    protocol = PROTOCOLS.build({"kind": kind}, "here")
    vectors, rows = small_set()
    order = np.random.default_rng(1).permutation(len(rows))
    shuffled = protocol.evaluate_vectors(vectors[order], rows[order])
    assert shuffled.metrics == protocol.evaluate_vectors(vectors, rows).metrics


@pytest.mark.parametrize("kind", KINDS)
def test_a_protocol_is_called_as_it_is_registered_and_says_how_it_counts(kind: str) -> None:
    protocol = PROTOCOLS.build({"kind": kind}, "here")
    told = protocol.describe()
    assert told["name"] == kind
    assert {"query_in_gallery", "normalise", "denominator", "depth", "decimals"} <= set(told)
    vectors, rows = small_set()
    assert protocol.evaluate_vectors(vectors, rows).protocol == told


@pytest.mark.parametrize("kind", PROTOCOLS.kinds())
def test_a_benchmarks_protocol_has_no_options(kind: str) -> None:
    other = {"normalise": True, "decimals": 2, "denominatr": "hits"}
    with pytest.raises(ConfigError) as caught:
        PROTOCOLS.build({"kind": kind, **other}, "here")
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", "int8"])
def test_other_types_become_float32(dtype: str) -> None:
    vectors, rows = small_set()
    given = (vectors * 100).round().astype(np.float32)
    expected = STRICT.evaluate_vectors(given, rows).metrics
    assert STRICT.evaluate_vectors(given.astype(dtype), rows).metrics == expected


def spoilt(at: int, value: float, dtype: str = "float32") -> Float32Array:
    vectors = np.ones((4, 3), dtype)
    vectors[at, 1] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.ones((3, 2), np.float32), "3 embeddings for 4 images"),
        (np.ones(4, np.float32), r"the shape \(4,\); expected \(4, dimensions\)"),
        (np.ones((4, 0), np.float32), r"the shape \(4, 0\)"),
        (np.ones((4, 2), np.int64), "whole numbers.*scored as indices"),
        (np.ones((4, 2), np.bool_), "type bool"),
        (np.ones((4, 2), np.complex64), "type complex64"),
        (spoilt(2, np.nan), r"in 1 row: row 2 \(1_2.jpg\)"),
        (spoilt(1, -np.inf), r"in 1 row: row 1 \(0_1.jpg\)"),
        (spoilt(3, 1e300, "float64"), r"too large for float32 in 1 row: row 3"),
        (spoilt(0, 3e19), r"too large for float32 in 1 row: row 0"),
        (np.full((4, 2), np.nan, np.float32), r"in 4 rows: row 0 .* row 3 \(1_3.jpg\)$"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(vectors: Float32Array, said: str) -> None:
    with pytest.raises(DataError, match=said):
        SCRIPT.evaluate_vectors(vectors, rows_of([0, 0, 1, 1]))


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ([[0, 1], [1, 0], [1, 2]], "3 lists for 4 images"),
        ([[0, 1], [1, 0, 2], [2, 1], [3]], "row 0 has 2, row 1 has 3, row 3 has 1"),
        ([[0, 1], [1, -1], [2, 1], [3, 1]], r"-1 \(no result; .* 1 row: row 1 \(0_1.jpg\)"),
        ([[0, 1], [1, 0], [2, 4], [3, -2]], "outside 0 to 3 in 2 rows: row 2 .* row 3"),
        ([[0, 1], [1, 0], [2, 2], [3, 1]], r"a number twice in 1 row: row 2 \(1_2.jpg\)"),
        ([[0, 0], [1, -1], [2, 9], [3, 1]], "-1.*row 1.*outside.*row 2.*twice.*row 0"),
        ([[0, 1, 2, 3, 0]] * 4, "each list has 5 images, but only 4 images"),
        ([0, 1, 2, 3], "the shape"),
        ([[0.0, 1.0]] * 4, "type float64; expected whole numbers"),
        ([["0", "1"]] * 4, "expected numbers"),
    ],
)
def test_lists_that_cannot_be_scored_are_refused(lists: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        SCRIPT.evaluate_lists(lists, rows_of([0, 0, 1, 1]))


def test_only_the_first_wrong_rows_are_named() -> None:
    with pytest.raises(DataError, match=r"in 40 rows: row 0 .* row 4 .* and 35 more") as caught:
        SCRIPT.evaluate_lists(np.full((40, 1), -1), rows_of([0] * 40))
    assert "row 5" not in str(caught.value)


def test_zero_vectors_are_mentioned() -> None:
    vectors = np.array([[1, 0], [0, 0], [0, 0]], np.float32)
    result = STRICT.evaluate_vectors(vectors, rows_of([0, 0, 1]))
    assert result.notes[0] == "zero vectors, whose scores all tie, in the items' order: 2"


def test_unsigned_lists_are_lists() -> None:
    lists: Int64Array = full_lists(small_set()[0])
    rows = small_set()[1]
    expected = SCRIPT.evaluate_lists(lists, rows).metrics
    assert SCRIPT.evaluate_lists(lists.astype(np.uint16), rows).metrics == expected
    assert SCRIPT.evaluate_lists(lists.tolist(), rows).metrics == expected


def test_progress_is_reported() -> None:
    vectors, rows = small_set()
    seen: list[tuple[int, int]] = []
    result = SCRIPT.evaluate_vectors(vectors, rows, progress=lambda *at: seen.append(at))
    assert isinstance(result, Evaluation)
    assert seen[-1] == (120, 120)
