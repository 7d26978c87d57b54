"""Notes of boards: too few classes, models that were trained on queries, speeds of runs."""

import json
from pathlib import Path

import numpy as np
import pytest

import likewise
from likewise.catalogue.catalogue import open_workspace
from likewise.evaluation.significance import randomisation_test
from likewise.evaluation.smallest_p import smallest_p
from likewise.storage import timings
from synthetic_reports import values_of, write_catalogue, write_four_models, write_report


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four models on two data sets, in the current folder."""
    root = write_four_models(tmp_path / "catalogue")
    monkeypatch.chdir(root)
    return root


def test_a_reranked_run_has_the_speed_of_its_model_and_no_time_of_the_index(root: Path) -> None:
    ws = open_workspace(root)
    timings.record(ws, "embed-birds-good", timings.Timing(10, 10.0))
    timings.record(ws, "embed-cars-good", timings.Timing(400, 8.0))
    timings.record(ws, timings.search_job("birds", "good", "exact"), timings.Timing(1, 0.002))
    run = {"dataset": "birds", "model": "good", "index": "exact", "protocol": "leave-one-out"}
    reranked: dict[str, object] = {**run, "rerank": {"kind": "dba", "k": 5}}
    write_report(root, "again", reranked, values_of(0.0, seed=5))
    with (root / "params.yaml").open("a") as params:
        params.write(f"  again: {json.dumps(reranked)}\n")
    (board,) = likewise.leaderboard().boards
    (entry,) = [one for one in board.entries if one.options.get("rerank")]
    assert entry.name == "good, re-ranked by dba, k 5"
    assert entry.options["rerank"] == "dba, k 5"
    assert entry.images_per_s == 400 / 8
    assert entry.cells["birds"].ms is None


def test_a_data_set_with_too_few_classes_is_named(tmp_path: Path) -> None:
    """Of 6 classes p is at least 1/32; three tests need 0.05 / 3, which 8 classes reach."""
    results = {
        (dataset, model): values_of(skill, seed=1, classes=classes)
        for dataset, classes in (("few", 6), ("more", 8))
        for model, skill in {"a": 0.0, "b": 0.5, "c": 2.0}.items()
    }
    root = write_catalogue(tmp_path / "catalogue", results)
    (board,) = likewise.leaderboard(workspace=root).boards
    (note,) = board.notes
    limit = "p of 6 classes is at least 0.0312, 0.0938 when corrected for 3 tests"
    assert note == f"few: no difference can be found: {limit}"
    tests = [entry.cells["few"].best for entry in board.entries]
    assert {test.p for test in tests if test} == {smallest_p(6)}
    assert all(test.tie for test in tests if test)
    assert not any(e.cells["more"].best and e.cells["more"].best.tie for e in board.entries)


def test_smallest_p_is_that_of_equal_signs() -> None:
    for classes in (1, 2, 5, 13, 14, 40):
        assert smallest_p(classes) == pytest.approx(
            randomisation_test(np.ones(classes)), abs=1.1e-4
        )
    assert smallest_p(0) == 1


def test_a_model_that_was_trained_on_queries_is_named(root: Path) -> None:
    path = root / "reports" / "birds-good.lineage.json"
    lineage = json.loads(path.read_text())
    for data, split, items in (
        ("birds", "train", "the split train"),
        (["cars", "birds"], None, "all items"),
    ):
        lineage["model"]["recipe"] = {"kind": "metric", "data": data, "split": split}
        path.write_text(json.dumps(lineage))
        (board,) = likewise.leaderboard().boards
        assert board.notes == [
            f"good was trained on {items} of birds, whose items are also queries of birds"
        ]
    lineage["model"]["recipe"]["data"] = "cars"
    path.write_text(json.dumps(lineage))
    assert likewise.leaderboard().boards[0].notes == []
