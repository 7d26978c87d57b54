"""Every retrieval protocol by its definition, on sets small enough to count by hand."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from likewise.errors import ConfigError, DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.formats.array_types import Float32Array
from likewise.schema import QUERIES


def scored(kind: str, angles: list[float], rows: dict[str, list[Any]]) -> Evaluation:
    """Make unit vectors from angles in degrees: the nearer the angle, the higher the score."""
    radians = np.radians(np.array(angles))
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    return PROTOCOLS.build({"kind": kind}, "here").evaluate_vectors(vectors, frame(rows))


def frame(rows: dict[str, list[Any]]) -> pl.DataFrame:
    count = len(next(iter(rows.values())))
    names = {"item_id": [f"i{row}" for row in range(count)]}
    absent = {name: [None] * count for name in ("label", "subset", "split", "role")}
    text = dict.fromkeys(absent, pl.String)
    return pl.DataFrame({**names, **absent, **rows}, schema_overrides=text)


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


def cars(major: int = 58) -> dict[str, list[Any]]:
    """Make one query of each of two classes: ``major`` front images of one, 2 of the other."""
    count = major + 3
    return {
        "label": ["major", "minor", *["major"] * major, "minor", "minor", "major"],
        "role": ["query", "query", *["gallery"] * count],
        "viewpoint": [
            None,
            None,
            *["front"] * (major - 1),
            "front-side",
            "front",
            "front",
            "rear",
        ],
    }


def test_masked_cars_score_0_and_so_rank_before_negative_ones() -> None:
    # Half of the major class is near the query, half is opposite; the minor class is nearest.
    angles = [0.0, 0.0, *([10.0] * 10 + [170.0] * 48), 0.0, 0.0, 5.0]
    rows = cars()
    mips = scored("compcars-mips", angles, rows)
    # Ten hits, two masked items (score 0), then eight opposite items: 18 hits in 20.
    precisions = [1.0] * 10 + [(10 + n) / (12 + n) for n in range(1, 9)]
    assert mips.metrics == {"mAP@20": round(sum(precisions) / 18, 4)}
    assert mips.queries["item_id"].to_list() == ["i0"]
    assert mips.notes[-1].startswith("queries of classes with fewer than 58")
    lopq = scored("compcars-lopq", angles, rows)
    assert lopq.metrics == {"mAP@20": 1.0}
    strict = scored("compcars-strict", angles, rows)
    assert strict.metrics == {
        "mAP": 1.0, "ap@20": round(20 / 58, 4), "precision@1": 1.0, "precision@20": 1.0
    }  # fmt: skip
    # The rear view is not in a gallery.
    assert strict.queries["relevant"].to_list() == [58]


def test_masked_scores_need_vectors() -> None:
    mips = PROTOCOLS.build({"kind": "compcars-mips"}, "here")
    with pytest.raises(DataError, match="needs vectors and an exact index; compcars-lopq"):
        mips.evaluate_lists(np.zeros((1, 1), np.int64), frame(cars()))


def test_one_image_too_few_is_a_minor_class() -> None:
    with pytest.raises(DataError, match="compcars-lopq selects no query"):
        scored("compcars-lopq", [0.0] * 62, cars(57))


def test_a_run_may_set_the_smallest_class_and_notes_name_the_smaller_ones() -> None:
    options = {"kind": "compcars-lopq", "min_images_per_class": 3}
    lopq = PROTOCOLS.build(options, "here")
    rows = cars(57)
    with pytest.raises(
        DataError,
        match=r"classes have fewer than 58 gallery items: major \(57\), minor \(2\); min_im",
    ):
        PROTOCOLS.build({"kind": "compcars-lopq"}, "here").query_sets(frame(rows))
    vectors = np.stack([np.ones(62), np.zeros(62)], axis=1).astype(np.float32)
    result = lopq.evaluate_vectors(vectors, frame(rows))
    assert result.notes[-2].startswith(
        "1 of 2 classes have fewer than 3 gallery items: minor (2)"
    )
    assert result.protocol["mask"].startswith("classes with fewer than 3 gallery items")
    with pytest.raises(ConfigError, match="min_images_per_class: unknown key"):
        PROTOCOLS.build({**options, "kind": "leave-one-out"}, "runs.a")


def test_the_systems_validation_masks_its_validation_images_for_all_queries() -> None:
    # 14 images of a class: 2 are held out, the first two; and 7 of another: 1 is held out.
    rows = {
        "label": ["a"] * 14 + ["b"] * 7,
        "role": ["gallery"] * 21,
        "viewpoint": ["front"] * 21,
    }
    angles = [0.0, 180.0, *[10.0] * 6, *[100.0] * 6, 5.0, *[5.0] * 6]
    options = {"kind": "compcars-mips-valid", "min_images_per_class": 7}
    radians = np.radians(angles)
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    result = PROTOCOLS.build(options, "here").evaluate_vectors(vectors, frame(rows))
    assert result.queries["item_id"].to_list() == ["i0", "i1", "i14"]
    # i0: 6 of b at 5 degrees, 6 of a at 10, then the scores 0 (i0, i1, i14), 6 of a behind: 20
    # of 21 places. i0 and i1 are relevant themselves.
    first = [n / (6 + n) for n in range(1, 9)] + [n / (7 + n) for n in range(9, 14)]
    assert result.queries["value"][0] == pytest.approx(sum(first) / 13)
    # i1 looks away: 6 of a at 100 first, the scores 0, then 6 of a, 5 of b.
    second = [n / n for n in range(1, 9)] + [n / (1 + n) for n in range(9, 15)]
    assert result.queries["value"][1] == pytest.approx(sum(second) / 14)
    # i14: 6 of b, 6 of a, the scores 0, of which it is the last, then a.
    third = [*[1.0] * 6, 7 / 15]
    assert result.queries["value"][2] == pytest.approx(sum(third) / 7)
    assert "1 of 7 gallery items per class; no item has the split val" in result.notes[0]
    named = {**rows, "split": ["train"] * 13 + ["val"] + ["train"] * 7}
    other = PROTOCOLS.build(options, "here").evaluate_vectors(vectors, frame(named))
    assert other.queries["item_id"].to_list() == ["i13"]
    assert result.protocol["mask"].endswith("validation items too")


def test_held_out_images_follow_the_order_of_a_set_of_their_places() -> None:
    # Places 70 to 133 in a table of 128 slots: 128 to 133 are in the slots 0 to 5.
    rows = frame(
        {
            "label": ["a"] * 70 + ["b"] * 64,
            "role": ["gallery"] * 134,
            "viewpoint": ["front"] * 134,
        }
    )
    sets = PROTOCOLS.build({"kind": "compcars-mips-valid"}, "here").query_sets(rows)
    expected = [*range(70 // 7), *range(70, 73), *range(128, 134)]  # 10 and 64 // 7
    assert sets.queries.tolist() == expected
    # Front-side images have the places behind all front ones.
    sides = rows.with_columns(viewpoint=pl.Series(["front-side"] * 70 + ["front"] * 64))
    moved = PROTOCOLS.build({"kind": "compcars-mips-valid"}, "here").query_sets(sides)
    # b has the places 0 to 63; a has 64 to 133, and 128 to 133 are its last six.
    assert moved.queries.tolist() == [*range(4), *range(64, 70), *range(70, 70 + 64 // 7)]


def test_the_systems_validation_of_an_index_drops_the_first_of_every_list() -> None:
    rows = {
        "label": ["a"] * 14 + ["b"] * 14,
        "role": ["gallery"] * 28,
        "viewpoint": ["front"] * 28,
    }
    lopq = PROTOCOLS.build({"kind": "compcars-lopq-valid", "min_images_per_class": 14}, "x")
    one = [14, 0, 15, 1, 16, *range(17, 28), *range(2, 7)]
    lists = np.tile(np.array(one), (4, 1))
    result = lopq.evaluate_lists(lists, frame(rows))
    assert result.queries["item_id"].to_list() == ["i0", "i1", "i14", "i15"]
    # Without 14, a is at the ranks 1, 3 and 16 to 20; b at 2, 4 and 5 to 15.
    of_a = [1, 2 / 3, *[n / (13 + n) for n in range(3, 8)]]
    of_b = [1 / 2, 2 / 4, *[n / (2 + n) for n in range(3, 14)]]
    means = [sum(of_a) / 7] * 2 + [sum(of_b) / 13] * 2
    assert result.queries["value"].to_list() == pytest.approx(means)
    assert result.metrics["mAP@20"] == round(sum(means) / 4, 4)
    assert result.unrounded["mAP@20"] == pytest.approx(sum(means) / 4, abs=1e-15)
    assert result.queries["hits"][0].to_list()[:4] == ["i0", "i15", "i1", "i16"]


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


def everything(count: int = 120) -> tuple[Float32Array, pl.DataFrame]:
    """Make vectors, and items with all columns of protocols: half queries, half gallery."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count)
    vectors = rng.standard_normal((count, 8)) + 0.8 * labels[:, None]
    ids = [f"i{row}" for row in range(count)]
    gallery = ids[1::2]
    listed = [rng.permutation(gallery)[:9].tolist() for _ in ids]
    lists = [[some[part::3] for some in listed] for part in range(3)]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), frame(
        {
            "label": [("tree", "horse")[label] for label in labels],
            "subset": rng.choice(["s", "t"], count).tolist(),
            "split": ["test"] * count,
            "role": ["query", "gallery"] * (count // 2),
            "viewpoint": ["front"] * count,
            "camera": rng.choice(["c", "d"], count).tolist(),
            "easy": lists[0],
            "hard": lists[1],
            "junk": lists[2],
            "good": lists[0],
            "ok": lists[1],
            "relevant": lists[0],
        }
    )


RETRIEVAL = [kind for kind in PROTOCOLS.kinds() if issubclass(PROTOCOLS.load(kind), Retrieval)]


def built(kind: str) -> Retrieval:
    """Build the protocol so that classes of five items are large enough."""
    base = PROTOCOLS.load(kind)
    assert issubclass(base, Retrieval)
    fewest = min(base.spec.min_class_size, 5)
    kept = {"name": kind, "spec": replace(base.spec, min_class_size=fewest)}
    smaller: type[Retrieval] = type(base.__name__, (base,), kept)
    return smaller()


# The zero scores of compcars-mips-valid tie, in the order of the rows.
@pytest.mark.parametrize("kind", [kind for kind in RETRIEVAL if kind != "compcars-mips-valid"])
def test_the_order_of_the_rows_does_not_matter(kind: str) -> None:
    vectors, rows = everything()
    if built(kind).spec.held_out:  # without this split, the first items of a class are held out
        fifth = pl.int_range(pl.len()) % 5 == 1
        rows = rows.with_columns(split=pl.when(fifth).then(pl.lit("val")).otherwise("split"))
    order = np.random.default_rng(1).permutation(len(rows))
    found = built(kind).evaluate_vectors(vectors, rows)
    shuffled = built(kind).evaluate_vectors(vectors[order], rows[order])
    assert shuffled.metrics == found.metrics
    assert list(found.statistics) == list(found.metrics)
    first, second = (r.queries.sort("item_id") for r in (found, shuffled))
    assert_frame_equal(first, second, abs_tol=1e-6)
    contract = [name for name in QUERIES.names() if name != "by"]  # see score_by
    assert first.columns[: len(contract)] == contract


@pytest.mark.parametrize("kind", RETRIEVAL)
def test_a_rotation_of_all_vectors_changes_nothing(kind: str) -> None:
    vectors, rows = everything()
    turned, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))
    found = built(kind).evaluate_vectors(vectors, rows)
    assert built(kind).evaluate_vectors(vectors @ turned, rows).metrics == found.metrics


@pytest.mark.parametrize("kind", RETRIEVAL)
def test_full_lists_score_as_their_vectors(kind: str) -> None:
    protocol, (vectors, rows) = built(kind), everything()
    if protocol.spec.mask == "zero":
        return
    sets = protocol.query_sets(rows)
    scores = vectors[sets.queries] @ vectors[sets.gallery].T
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    found = protocol.evaluate_lists(order, rows, scores=ranked.astype(np.float32))
    expected = protocol.evaluate_vectors(vectors, rows)
    assert found.metrics == expected.metrics
    assert_frame_equal(found.queries, expected.queries, abs_tol=1e-6)


@pytest.mark.parametrize("kind", RETRIEVAL)
def test_every_switch_is_printed(kind: str) -> None:
    told = built(kind).describe()
    assert (told["name"], told["version"]) == (kind, 1)
    spec = {field.name for field in fields(ProtocolSpec)}
    renamed = {"metric_title", "subset_title", "min_class_size", "further_metrics"}
    described = {"held_out", "drop_first", "match"}  # by queries, left_out and relevant
    described |= {"further_by_subset"}  # by the metrics
    described |= {"labels", "excluded", "within", "grades", "scale"}  # if they are used
    assert spec - {"subsets", *described, *renamed} <= set(told)
    assert "also" in told
    assert {"denominator", "depth", "ties", "direction", "score", "without_relevant"} <= set(
        told
    )
