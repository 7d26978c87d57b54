"""The protocols of CompCars: minor classes, held-out images and the system's own lists."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from likewise.errors import ConfigError, DataError
from likewise.evaluation.protocols import PROTOCOLS
from toy_items import frame, scored


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
