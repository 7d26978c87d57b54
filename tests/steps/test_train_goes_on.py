"""A training that is killed, stopped or distributed ends like an uninterrupted one."""

import json
import shutil
import signal
from pathlib import Path

import pytest

import likewise
from learning import LEARNED, SMALL, TRAIN, command, curve, signalled, two_processes, write

pytestmark = pytest.mark.torch

KILLED_AT_THE_END = f"""
import os, signal
from likewise.models.training.loop import TrainingLoop
TrainingLoop._restore_best = lambda self: os.kill(os.getpid(), signal.SIGKILL)
{TRAIN}"""
"""A script for ``likewise train learned``, which is killed after its last step."""


def test_a_killed_training_resumes_bit_for_bit(workspace: Path, tmp_path: Path) -> None:
    write(workspace, "trained", "learned", {**LEARNED, "save_every": 2})
    other = tmp_path / "other"
    shutil.copytree(workspace, other)
    likewise.train("learned", workspace=workspace)
    # It kills itself one step after its second checkpoint, in the middle of an epoch.
    assert command(other, "-c", signalled("SIGKILL", 5)).returncode == -signal.SIGKILL
    assert list(other.glob(".likewise/trainings/learned/*/checkpoints/last.pt"))
    # Killed again after its last checkpoint, while dvclive writes its metrics.
    assert command(other, "-c", KILLED_AT_THE_END).returncode == -signal.SIGKILL
    (report,) = other.glob(".likewise/trainings/learned/*/report")
    (report / "metrics.json").write_bytes(b"")
    (report / "plots/metrics/begun.tsv").write_bytes(b"")
    likewise.train("learned", workspace=other)
    files = [root / "models/learned/model.safetensors" for root in (workspace, other)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert curve(workspace) == curve(other)
    metrics = [root / "reports/training/learned/metrics.json" for root in (workspace, other)]
    assert metrics[0].read_bytes() == metrics[1].read_bytes()
    assert not (other / "reports/training/learned/plots/metrics/begun.tsv").exists()
    histories = [
        json.loads((root / "reports/training/learned/made.json").read_text())["history"]
        for root in (workspace, other)
    ]
    assert histories[0] == histories[1]


def test_sigterm_saves_and_ends_like_a_process_that_it_ended(workspace: Path) -> None:
    write(workspace, "trained", "learned", LEARNED)
    done = command(workspace, "-c", signalled("SIGTERM", 2))
    assert done.returncode == 128 + signal.SIGTERM
    said = [line for line in done.stderr.splitlines() if line.startswith("likewise: ")]
    saved = "likewise: the training was stopped at step 2 of 6 and saved; "
    assert said == [f"{saved}run the same command again to resume"]
    assert not (workspace / "models/learned").exists()
    likewise.train("learned", workspace=workspace)
    assert len(curve(workspace)) == 6


@pytest.mark.parametrize("launcher", ["fork", pytest.param("torchrun", marks=pytest.mark.slow)])
def test_two_processes_learn_as_one_does(
    workspace: Path, tmp_path: Path, launcher: str
) -> None:
    entry = {**LEARNED, "init": "still", "loss": "arcface", "dim": 8, "epochs": 2, "ema": 0}
    write(
        workspace,
        "models",
        "still",
        {"kind": "timm", "backbone": "test_vit", "weights": "random"},
    )
    likewise.load("still", workspace=workspace)
    write(workspace, "trained", "learned", {**entry, "input_size": 64, "samples_per_class": 2})
    other = tmp_path / "other"
    shutil.copytree(workspace, other)
    likewise.train("learned", workspace=workspace)
    if launcher == "torchrun":
        launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
        done = command(
            other, *launch, "-m", "likewise", "train", "learned", CUDA_VISIBLE_DEVICES=""
        )
        assert done.returncode == 0, done.stderr[-3000:]
    else:
        two_processes(other, TRAIN)
    assert curve(other) == pytest.approx(curve(workspace), abs=1e-4)
    made = json.loads((other / "reports/training/learned/made.json").read_text())
    assert made["processes"] == 2


@pytest.mark.slow
def test_two_processes_read_the_order_of_packs_as_one(workspace: Path) -> None:
    entry = {**SMALL, "kind": "classify", "batch": 8, "epochs": 2, "validation": 0}
    entry |= {"order": "packs", "freeze_norm": True}
    write(workspace, "trained", "learned", entry)
    other = workspace.with_name("other")
    shutil.copytree(workspace, other)
    assert likewise.train("learned", workspace=workspace).recipe["order"] == "packs"
    two_processes(other, TRAIN)
    assert curve(other) == pytest.approx(curve(workspace), abs=1e-4)


def test_a_training_that_is_killed_after_its_commit_is_not_repeated_in_part(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(folder: Path, **_: object) -> None:
        if "report" in str(list(folder.rglob("*"))):
            raise KeyboardInterrupt

    write(workspace, "trained", "learned", {**LEARNED, "epochs": 2})
    with monkeypatch.context() as patch:
        patch.setattr("likewise.catalogue.model_making.shutil.rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            likewise.train("learned", workspace=workspace)
    first = curve(workspace)
    assert not list(workspace.glob(".likewise/trainings/learned/*"))
    likewise.train("learned", workspace=workspace)
    assert curve(workspace) == first
    assert not list(workspace.glob(".likewise/trash/*"))
