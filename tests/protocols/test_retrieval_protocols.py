"""Retrieval protocols by their definitions, on sets small enough to count by hand."""

from typing import Any

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec
from toy_items import everything, frame, scored


def test_sketches_query_the_photos_of_the_test_split() -> None:
    result = scored(
        "sbir-acc",
        #  sketches of a, a, b; photos a, b, c; and the training split
        [0, 50, 61, 10, 60, 52, 0, 0],
        {
            "label": ["a", "a", "b", "a", "b", "c", "a", "a"],
            "role": [*["query"] * 3, *["gallery"] * 3, "query", "gallery"],
            "split": ["test"] * 6 + ["train"] * 2,
        },
    )  # fmt: skip
    # The first finds its photo first; the second sees c (2), b (10), a (40); the third b.
    assert result.metrics == {"acc@1": 66.667, "acc@5": 100.0, "acc@10": 100.0}
    assert result.queries["ranks"].to_list() == [[1], [3], [1]]
    assert result.queries["hits"].to_list()[1] == ["i5", "i4", "i3"]
    assert result.notes == ["queries: split test", "gallery: split test"]
    assert result.statistics["acc@1"].classes == 2


def test_a_split_that_is_not_there_is_named() -> None:
    rows = {"label": ["a", "a"], "role": ["query", "gallery"], "split": ["train", "train"]}
    with pytest.raises(
        DataError, match="no item has the split test or val; the values are: train"
    ):
        scored("sbir-acc", [0, 1], rows)
    rows["split"] = ["val", "val"]
    assert scored("sbir-acc", [0, 1], rows).notes[0] == "queries: split val"
    bare = scored("sbir-acc", [0, 1], {"label": ["a", "a"], "role": ["query", "gallery"]})
    assert bare.notes[0] == "queries: no item has a split, so all are taken"


def test_ap_at_100_of_google_landmarks_is_divided_by_the_smaller() -> None:
    count = 130
    rows = frame(
        {
            "label": ["a"] * (1 + count) + ["b", "b"],
            "role": ["query", *["gallery"] * count, "query", "gallery"],
        }
    )
    radians = np.radians([0.0, *[1.0] * count, 90.0, 80.0])
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    result = PROTOCOLS.build({"kind": "google-landmarks"}, "x").evaluate_vectors(vectors, rows)
    # All of the first 100 are relevant, of 130; the other query has one, and finds it first.
    assert result.metrics["mAP@100"] == 1
    assert result.metrics["ap@100"] == pytest.approx((100 / 130 + 1) / 2, abs=1e-4)


def test_leave_one_out_has_the_values_of_gpr1200_strict() -> None:
    vectors, rows = everything()
    ours = PROTOCOLS.build({"kind": "leave-one-out"}, "here").evaluate_vectors(vectors, rows)
    strict = PROTOCOLS.build({"kind": "gpr1200-strict"}, "here").evaluate_vectors(vectors, rows)
    assert ours.metrics == strict.metrics
    assert_frame_equal(ours.queries, strict.queries)
    assert ours.protocol["name"] == "leave-one-out"


LANDMARKS: dict[str, list[Any]] = {
    "label": ["q1", "q2", None, None, None, None, None, None],
    "role": ["query", "query", *["gallery"] * 6],
    "easy": [["i2", "i5"], ["i3"], None, None, None, None, None, None],
    "hard": [["i4"], [], None, None, None, None, None, None],
    "junk": [["i3"], ["i2"], None, None, None, None, None, None],
}
# From query 1 at 0: i2, i3, i4, i5, i6, i7.
ANGLES = [0.0, 90.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_the_revisited_landmarks_with_junk_removed() -> None:
    easy = scored("roxford5k-easy", ANGLES, LANDMARKS)
    # Query 1 without junk (i3) and hard (i4): i2, i5, i6, i7: relevant at 1 and 2.
    # Query 2, from behind: i7, i6, i5, i4, i3 without junk (i2): relevant at 5.
    trapezoid = (0 + 1 / 5) / 2
    assert easy.metrics["mAP"] == round(100 * (1 + trapezoid) / 2, 2)
    assert easy.queries["ranks"].to_list() == [[1, 2], [5]]
    medium = scored("rparis6k-medium", ANGLES, LANDMARKS)
    # Without i3: i2, i4, i5 are all relevant and first.
    assert medium.queries["ranks"].to_list() == [[1, 2, 3], [5]]
    hard = scored("roxford5k-hard", ANGLES, LANDMARKS)
    # Without i3, i2 and i5: i4 is first. Query 2 has none, and is left out.
    assert hard.metrics["mAP"] == 100
    assert hard.queries["value"].to_list() == [1, None]
    assert hard.metrics["mp@1"] == 100
    assert easy.metrics["mp@5"] == round(100 * (2 / 2 + 1 / 5) / 2, 2)


def test_a_list_of_unknown_items_is_refused() -> None:
    rows = {**LANDMARKS, "easy": [["i2", "zz"], *LANDMARKS["easy"][1:]]}
    with pytest.raises(DataError, match="easy: no item is called zz"):
        scored("roxford5k-easy", ANGLES, rows)


def test_columns_that_a_protocol_reads_are_asked_for() -> None:
    with pytest.raises(
        DataError, match=r"roxford5k-easy reads .*: easy, junk, hard; their source"
    ):
        scored("roxford5k-easy", [0, 1], {"role": ["query", "gallery"]})


def test_metric_learning_is_of_the_test_items_alone() -> None:
    result = scored(
        "metric-learning",
        [0, 1, 3, 90, 91, 0],
        {"label": ["a", "b", "a", "b", "b", "a"], "split": ["test"] * 5 + ["train"]},
    )
    # a at 0: b(1) a(3): 2nd; b at 1: a, a, b, b: 3rd, 4th; a at 3: b(1), a(0): 2nd;
    # b at 90: b(91) 1st, then a(3), b(1): 3rd; b at 91: the same.
    assert result.queries["ranks"].to_list() == [[2], [3, 4], [2], [1, 3], [1, 3]]
    assert result.metrics["recall@1"] == 2 / 5
    assert result.metrics["recall@2"] == 4 / 5
    assert result.metrics["map@r"] == round((0 + 0 + 0 + 1 / 2 + 1 / 2) / 5, 4)
    assert result.metrics["r-precision"] == round((1 / 2 + 1 / 2) / 5, 4)
    assert result.metrics["mrr"] == round((1 / 2 + 1 / 3 + 1 / 2 + 1 + 1) / 5, 4)
    assert result.queries["value"].to_list() == [0, 0, 0, 1, 1]


def test_what_the_querys_camera_saw_is_left_out() -> None:
    result = scored(
        "reidentification",
        [0, 1, 2, 3, 4],
        {
            "label": ["a", "a", "b", "a", "a"],
            "role": ["query", "gallery", "gallery", "gallery", "gallery"],
            "camera": ["c1", "c1", "c1", "c2", None],
        },
    )
    # i1 has the label and camera of the query; b of that camera stays: b, a, a.
    assert result.queries["ranks"].to_list() == [[2, 3]]
    assert result.metrics["mAP"] == round((1 / 2 + 2 / 3) / 2, 4)
    assert result.metrics["cmc@1"] == 0


class ByClass(Retrieval):
    """Every class has the same weight."""

    name = "by-class"
    spec = ProtocolSpec(
        query_in_gallery=False, normalise=True, metric="recall@1", average="classes"
    )


def test_an_average_over_classes() -> None:
    radians = np.radians([0, 1, 2, 40, 90])
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    rows = frame({"label": ["a", "a", "a", "b", "b"]})
    # All three of a are right, and one of b: 40 is nearest to 2, 90 to 40.
    assert ByClass().evaluate_vectors(vectors, rows).metrics == {"mAP": (1 + 1 / 2) / 2}


def test_an_indexs_lists_may_end_early() -> None:
    strict = PROTOCOLS.build({"kind": "gpr1200-strict"}, "here")
    rows = frame({"label": ["a", "a", "b"]})
    lists = np.array([[0, 1, 2], [1, 2, -1], [2, -1, -1]])
    scores = np.array([[1, 0.5, 0.1], [1, 0.2, -np.inf], [1, -np.inf, -np.inf]], np.float32)
    result = strict.evaluate_lists(lists, rows, scores=scores)
    assert result.queries["value"].to_list() == [1, 0, None]
    assert result.queries["hits"].to_list() == [["i1", "i2"], ["i2"], []]
    assert result.queries["hit_scores"].to_list() == [
        [0.5, pytest.approx(0.1)],
        [pytest.approx(0.2)],
        [],
    ]
    assert result.queries["missed"].to_list() == [[], ["i0"], []]
    assert result.queries["missed_ranks"].to_list() == [[], [None], []]
    with pytest.raises(DataError, match="-1"):
        strict.evaluate_lists(lists, rows)
