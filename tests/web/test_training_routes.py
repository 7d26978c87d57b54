"""The routes of trainings and of the leaderboard, and the curves that they read."""

import json
from pathlib import Path

import pytest

import forked
import likewise
from learning import SMALL, write
from likewise.errors import DataError, UnknownNameError
from likewise.models.training.training_log import TrainingLog
from likewise.storage import journal
from likewise.storage.workspace import Workspace
from page_client import Page
from trained_curves import EPOCHS, STEPS, log_training

pytestmark = pytest.mark.torch


@pytest.fixture
def trained(workspace: Path) -> Path:
    """The catalogue with the report of a training."""
    write(workspace, "trained", "learned", {**SMALL, "kind": "metric"})
    log_training(workspace / "reports" / "training" / "learned")
    return workspace


def test_curves_of_a_training(trained: Path, page: Page) -> None:
    (curves,) = likewise.trainings()
    assert (curves.model, curves.state, curves.kept_epoch) == ("learned", "complete", 2)
    assert curves.kept_step == 2 * STEPS - 1
    losses = curves.values.filter(metric="train/loss")
    assert losses["step"].to_list() == list(range(EPOCHS * STEPS))
    assert curves.last["epoch"] == EPOCHS
    shown = page.get("/api/training")
    assert page.get("/training.json") == shown
    (training,) = shown["trainings"]
    assert shown["known"] == ["learned"]
    assert training["facts"]["items"] == 24
    by_metric = {curve["metric"]: curve for curve in training["curves"]}
    assert by_metric["train/loss"]["value"] == losses["value"].to_list()
    few = page.get("/api/training?points=10")["trainings"][0]["curves"]
    loss = next(curve for curve in few if curve["metric"] == "train/loss")
    assert loss["values"] == EPOCHS * STEPS
    assert len(loss["step"]) <= 12
    assert max(loss["value"]) == losses["value"].max()
    printed = forked.run(trained, "likewise", "trainings", "--json")
    assert json.loads(printed.stdout)[0]["last"] == curves.last
    assert "learned  complete" in forked.run(trained, "likewise", "trainings").stdout


def test_an_unfinished_training_is_running_while_its_job_is(trained: Path, page: Page) -> None:
    ws = Workspace(trained)
    report = ws.trainings("learned") / "k1" / "report"
    report.parent.mkdir(parents=True)
    log = TrainingLog(report)
    log.step(0, 2.0, 0.1)
    log.step(1, 1.5, 0.1)
    with (report / "plots/metrics/train/loss.tsv").open("a") as half:
        half.write("2\t0.")  # a line that the training has not completed
    with journal.exclusive_job(ws, "train-learned"):
        now = likewise.trainings(["learned"])
        assert [(one.key, one.state) for one in now] == [("", "complete"), ("k1", "running")]
        assert now[1].values["value"].to_list() == [2.0, 1.5]
        states = [one["state"] for one in page.get("/api/training")["trainings"]]
        assert states == ["complete", "running"]
    assert [one.state for one in likewise.trainings()] == ["complete", "stopped"]
    with journal.exclusive_job(ws, "train-learned"):  # the question did not block the job
        pass


def test_wrong_names_and_files_are_refused(trained: Path, page: Page) -> None:
    page.refused("/api/training?model=lerned", 404)
    page.refused("/api/training?" + "&".join(["model=learned"] * 21), 422)
    with pytest.raises(UnknownNameError, match="did you mean 'learned'"):
        likewise.trainings(["lerned"])
    with pytest.raises(UnknownNameError):  # a frozen model has no curves
        likewise.trainings(["tiny"])
    file = trained / "reports/training/learned/plots/metrics/train/loss.tsv"
    for bad in ("step\tloss\nx\t1\n", f"step\tloss\n{10**30}\t1\n"):
        file.write_text(bad, "utf-8")
        with pytest.raises(DataError, match=r"train/loss\.tsv is not a curve"):
            likewise.trainings()


def test_the_leaderboard_has_the_numbers_of_the_verb(workspace: Path, page: Page) -> None:
    assert page.get("/api/leaderboard")["boards"] == []
    likewise.evaluate("emoji-tiny")
    board = page.get("/leaderboard.json")["boards"][0]
    made = likewise.leaderboard().boards[0]
    cell = board["entries"][0]["cells"]["emoji"]
    assert cell["value"] == made.entries[0].cells["emoji"].value
    assert (board["title"], board["metric"]) == (made.title, made.metric)
    assert cell["is_best"]
    assert page.get("/api/leaderboard?published=yes")["published"]
    page.refused("/api/leaderboard?published=maybe", 422)
