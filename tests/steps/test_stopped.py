"""Stopped trainings: their checkpoints, who resumes them, and messages."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import likewise
from learning import signalled, two_processes
from likewise.errors import ConfigError, DataError, Stopped
from likewise.models.passport import Passport
from likewise.models.training.batch_loader import TrainingBatch
from likewise.models.training.loop import TrainingLoop
from likewise.models.training.progress import Progress

pytestmark = pytest.mark.torch

ENTRY: dict[str, Any] = {
    "kind": "metric",
    "init": "tiny",
    "data": "emoji",
    "split": None,
    "input_size": 32,
    "batch": 8,
    "samples_per_class": 2,
    "epochs": 3,
    "validation": 0.4,
}


def write(root: Path, **options: Any) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["trained"]["learned"] = {**ENTRY, **options}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def train(root: Path, **options: Any) -> Passport:
    write(root, **options)
    return likewise.train("learned", workspace=root)


def stop(root: Path, patch: pytest.MonkeyPatch, after: int, **options: Any) -> None:
    """Start a training, and end it by SIGTERM after ``steps`` steps."""
    step = TrainingLoop._step

    def asked(self: TrainingLoop, fed: TrainingBatch) -> None:
        step(self, fed)
        if self.position.step == after:
            os.kill(os.getpid(), signal.SIGTERM)

    write(root, **options)
    with patch.context() as patched:
        patched.setattr(TrainingLoop, "_step", asked)
        with pytest.raises(Stopped, match=f"at step {after} of"):
            likewise.train("learned", workspace=root)


def kept(root: Path) -> list[Path]:
    return sorted((root / ".likewise/trainings/learned").glob("*/checkpoints/last.pt"))


def test_other_options_take_nothing_from_a_stopped_training(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unbroken = train(workspace)
    assert not list((workspace / ".likewise/trainings/learned").iterdir())
    stop(workspace, monkeypatch, 3)
    assert len(kept(workspace)) == 1
    capsys.readouterr()
    other = train(workspace, lr=1e-3)
    said = capsys.readouterr().err
    assert (
        "learned: starts a new training; a stopped one with lr: 0.0003 (now 0.001) is kept"
        in said
    )
    assert other.weights_sha256 != unbroken.weights_sha256
    assert len(kept(workspace)) == 1
    problems = [p for p in likewise.doctor(workspace=workspace) if p.check == "unfinished"]
    assert [p.what.partition(";")[0] for p in problems] == ["train-learned was stopped"]
    # With the first options it resumes; workers and intervals of saving do not matter.
    again = train(workspace, save_every=7, save_minutes=1.5, workers=0)
    assert "train: resumes after 24 of 48 images" in capsys.readouterr().err
    assert again.weights_sha256 == unbroken.weights_sha256
    assert not kept(workspace)


def test_checkpoints_come_by_minutes_too(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []
    save = TrainingLoop._save

    def count(self: TrainingLoop) -> None:
        saved.append(self.position.step)
        save(self)

    monkeypatch.setattr(TrainingLoop, "_save", count)
    train(workspace, epochs=1)
    assert saved == [2]  # only at the end of the epoch
    saved.clear()
    train(workspace, epochs=1, save_minutes=1e-9)
    assert saved == [1, 2, 2]


def test_a_model_of_an_older_release_is_read(workspace: Path) -> None:
    train(workspace, epochs=1)
    path = workspace / "models/learned/passport.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    del told["recipe"]["save_minutes"]  # the option did not exist
    path.write_text(json.dumps(told), encoding="utf-8")
    params = yaml.safe_load((workspace / "params.yaml").read_text(encoding="utf-8"))
    params["embeddings"]["e"] = {"dataset": "emoji", "model": "learned"}
    (workspace / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    assert likewise.embed("emoji", "learned", workspace=workspace).computed == 24


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loss": "compcars", "miner": "hard"}, "loss compcars has no miner"),
        ({"loss": "triplet", "scale": 3}, "loss triplet has no scale"),
        ({"loss": "supcon", "margin": 0.1}, "loss supcon has no margin"),
        ({"negatives": 5}, "loss multi-similarity has no negatives"),
        ({"loss": "arcface", "margin": 28.6}, "in radians: 0.5 for 28.6 degrees"),
    ],
)
def test_options_that_a_loss_does_not_read(
    workspace: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        train(workspace, **options)


def test_parts_of_a_batch_hold_whole_classes(workspace: Path) -> None:
    with pytest.raises(DataError, match="4 classes of 2 items cannot be divided into 4 parts"):
        train(workspace, accumulate=4)
    with pytest.raises(DataError, match=r"set batch to a multiple of 16$"):
        train(workspace, accumulate=4)
    assert train(workspace, accumulate=2, epochs=1).dim > 0


def test_a_log_gets_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Progress(100, 500, main=True) as progress:
        for _ in range(4):
            now[0] += 50
            progress.update(100)
        progress.epoch({"epoch": 2, "loss": 0.25})
    assert capsys.readouterr().err.splitlines() == [
        "train: resumes after 100 of 500 images",
        # 200 images in 100 s, so 200 more take as long
        "train: 300 of 500 images; 2.0 img/s, 01:40 left",
        "train: 500 of 500 images; 2.0 img/s, 00:00 left",
        "train: 500 of 500 images: epoch 2, loss 0.25; 2.0 img/s, 00:00 left",
    ]
    with Progress(0, 5, main=False) as progress:
        now[0] += 100
        progress.update(5)
    assert not capsys.readouterr().err


def test_processes_that_are_asked_to_end_agree_on_the_step(workspace: Path) -> None:
    write(workspace, validation=0, lr=1e-3)
    # Only one of the two gets the signal, as when a system signals one of its nodes.
    for text in two_processes(workspace, signalled("SIGTERM", 2, rank=1), ends_well=False):
        assert text.count("likewise: the training was stopped at step 2 of 9 and saved") == 1
    state = torch.load(kept(workspace)[0], weights_only=True)
    assert state["position"]["step"] == 2
