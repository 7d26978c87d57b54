"""Models that learn: what they write, how they go on after a kill, and what they refuse."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import likewise
from likewise import versions
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.imaging.reader import ImageReader
from likewise.passport import Passport
from likewise.training import backbones, weights
from likewise.training.memory import enough
from likewise.training.plan import Plan

pytestmark = pytest.mark.torch

SKETCHES = Path(__file__).parents[2] / "samples" / "sketches"
SMALL: dict[str, Any] = {"start": "tiny", "data": "emoji", "split": None, "input_size": 32}
LEARNED: dict[str, Any] = {
    **SMALL,
    "kind": "metric",
    "batch": 8,
    "each": 2,
    "epochs": 3,
    "lr": 1e-3,
    "ema": 0.9,
    "validation": 0.4,
    "augment": {"rotate": 20, "flip": 0.5, "colour": 0.2},
}


def write(root: Path, section: str, name: str, entry: dict[str, Any]) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params[section][name] = entry
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def learn(root: Path, entry: dict[str, Any], section: str = "trained") -> Passport:
    write(root, section, "learned", entry)
    return likewise.train("learned", workspace=root)


def curve(root: Path, name: str = "train/loss") -> list[float]:
    path = root / f"reports/training/learned/plots/metrics/{name}.tsv"
    return [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]


def command(root: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_model_that_learned_is_embedded_like_any_other(workspace: Path) -> None:
    passport = learn(workspace, {**LEARNED, "dim": 16})
    assert passport.dim == 16
    start = Passport.read(workspace / "models" / "tiny")
    assert passport.start == start.weights_sha256
    digests = workspace / "catalog/emoji/columns/items.yaml"
    columns = yaml.safe_load(digests.read_text())["columns"]
    assert passport.data == {
        f"emoji.items.{name}": columns[name] for name in ("content", "label", "role", "split")
    }
    assert Passport.read(workspace / "models" / "learned") == passport
    made = json.loads((workspace / "reports/training/learned/made.json").read_text())
    assert [row["epoch"] for row in made["history"]] == [1, 2, 3]
    assert set(made["history"][0]) == {"epoch", "loss", "map", "precision@1"}
    metrics = json.loads((workspace / "reports/training/learned/metrics.json").read_text())
    assert metrics["validation"]["map"] == made["history"][-1]["map"]
    write(workspace, "embeddings", "emoji-learned", {"dataset": "emoji", "model": "learned"})
    assert likewise.embed("emoji", "learned", workspace=workspace).computed == 24
    again = likewise.train("learned", workspace=workspace)
    assert again == passport  # the same weights, to the bit
    assert not list((workspace / ".likewise/trainings/learned").iterdir())


@pytest.mark.slow
def test_a_killed_training_goes_on_bit_for_bit(workspace: Path, tmp_path: Path) -> None:
    write(workspace, "trained", "learned", {**LEARNED, "save_every": 2})
    other = tmp_path / "other"
    shutil.copytree(workspace, other)
    assert command(workspace, "-m", "likewise", "train", "learned").returncode == 0
    # It dies when it has taken a step after its second checkpoint, in mid-epoch.
    script = """
import os, signal
from likewise.training.loop import Loop
step = Loop._step
def dying(self, fed):
    step(self, fed)
    if self.position.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
Loop._step = dying
import likewise
from likewise import versions
likewise.train("learned")
"""
    assert command(other, "-c", script).returncode == -signal.SIGKILL
    assert list(other.glob(".likewise/trainings/learned/*/checkpoints/last.pt"))
    done = command(other, "-m", "likewise", "train", "learned")
    assert done.returncode == 0, done.stderr
    files = [root / "models/learned/model.safetensors" for root in (workspace, other)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert curve(workspace) == curve(other)
    histories = [
        json.loads((root / "reports/training/learned/made.json").read_text())["history"]
        for root in (workspace, other)
    ]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_sigterm_saves_and_ends_in_good_order(workspace: Path) -> None:
    write(workspace, "trained", "learned", LEARNED)
    script = """
import os, signal, sys
from likewise.training.loop import Loop
step = Loop._step
def asked(self, fed):
    step(self, fed)
    if self.position.step == 2:
        os.kill(os.getpid(), signal.SIGTERM)
Loop._step = asked
from likewise.cli.app import main
sys.argv = ["likewise", "train", "learned"]
main()
"""
    done = command(workspace, "-c", script)
    assert done.returncode == 0
    said = [line for line in done.stderr.splitlines() if line.startswith("likewise: ")]
    assert said == [
        "likewise: stopped at step 2 of 6, all is saved; run the same command again to go on"
    ]
    assert not (workspace / "models/learned").exists()
    likewise.train("learned", workspace=workspace)
    assert len(curve(workspace)) == 6


@pytest.mark.slow
def test_two_processes_learn_as_one_does(workspace: Path, tmp_path: Path) -> None:
    entry = {**LEARNED, "start": "still", "loss": "arcface", "dim": 8, "epochs": 2, "ema": 0}
    write(
        workspace,
        "models",
        "still",
        {"kind": "timm", "backbone": "test_vit", "weights": "random"},
    )
    likewise.train("still", workspace=workspace)
    write(workspace, "trained", "learned", {**entry, "input_size": 64, "each": 2})
    other = tmp_path / "other"
    shutil.copytree(workspace, other)
    likewise.train("learned", workspace=workspace)
    launched = command(
        other,
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "likewise", "train", "learned"),
        CUDA_VISIBLE_DEVICES="",
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    assert curve(other) == pytest.approx(curve(workspace), abs=1e-4)
    made = json.loads((other / "reports/training/learned/made.json").read_text())
    assert made["processes"] == 2


def test_options_that_no_data_serve(workspace: Path) -> None:
    with pytest.raises(DataError, match=r"emoji has no item in split 'train'; there is none"):
        learn(workspace, {**LEARNED, "split": "train"})
    with pytest.raises(DataError, match=r"lower least$"):
        learn(workspace, {**LEARNED, "least": 5})
    with pytest.raises(
        DataError, match="has no pairs to learn from: 0 items of the role query"
    ):
        learn(workspace, {**SMALL, "kind": "arnet"})
    write(workspace, "pretrained", "by_labels", LEARNED)
    with pytest.raises(ConfigError, match="'metric' belongs under 'trained', whose stage"):
        likewise.train("by_labels", workspace=workspace)


def test_a_class_with_one_image(workspace: Path) -> None:
    images = workspace / "emoji/images"
    for name in ("noto", "openmoji", "twemoji"):
        (images / f"0_{name}.jpg").unlink()
    likewise.ingest("emoji", workspace=workspace)
    with pytest.raises(DataError, match=r"1 classes of emoji have fewer than 2 items .*: 0;"):
        learn(workspace, {**LEARNED, "validation": 0})
    assert learn(workspace, {**LEARNED, "validation": 0, "least": 2, "epochs": 1}).dim > 0


def test_a_start_that_is_not_there(workspace: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"trained.learned.start: no such name 'tine'; did you"
    ):
        learn(workspace, {**LEARNED, "start": "tine"})
    shutil.rmtree(workspace / "models/tiny")
    with pytest.raises(MissingArtefactError, match="run: dvc repro train@tiny"):
        learn(workspace, LEARNED)
    with pytest.raises(UnknownNameError, match="no model named 'learnt'"):
        likewise.train("learnt", workspace=workspace)


def test_circles_and_namesakes(workspace: Path) -> None:
    write(workspace, "trained", "b", {**LEARNED, "start": "learned"})
    with pytest.raises(ConfigError) as caught:
        learn(workspace, {**LEARNED, "start": "b"})
    assert "learned.start: it begins from itself: learned <- b <- learned" in str(caught.value)
    write(workspace, "trained", "learned", LEARNED)
    write(workspace, "pretrained", "tiny", LEARNED)
    with pytest.raises(ConfigError, match="'models' has a model of that name too"):
        likewise.train("learned", workspace=workspace)


def test_the_loss_that_is_no_number_names_its_pictures(workspace: Path) -> None:
    entry = {**LEARNED, "lr": 1e30, "optimiser": "sgd", "validation": 0, "ema": 0}
    with pytest.raises(DataError, match=r"no number at step \d, with \d+_\w+.jpg, .*lr"):
        learn(workspace, entry)


def test_a_repository_without_a_commit(workspace: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(workspace)], check=True)
    subprocess.run(["dvc", "init", "--quiet"], cwd=workspace, check=True)
    write(workspace, "trained", "learned", LEARNED)
    done = command(workspace, "-m", "likewise", "train", "learned")
    assert done.returncode == VersionError.exit_code, done.stderr
    assert "make the first one: git add --all && git commit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_too_little_memory_says_which_batch_to_try(workspace: Path) -> None:
    # The real allocator, in a process that may have 64 MB more than it has.
    write(workspace, "trained", "learned", {**LEARNED, "input_size": 256, "batch": 48})
    script = """
import resource, sys, likewise.training.course, likewise.training.loop
from likewise.cli.app import main
class Loop(likewise.training.loop.Loop):
    def run(self):
        held = next(int(l.split()[1]) for l in open("/proc/self/status") if "VmSize" in l)
        most = held * 1024 + 64_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return super().run()
likewise.training.course.Loop = Loop
sys.argv = ["likewise", "train", "learned"]
main()
"""
    done = command(workspace, "-c", script)
    assert done.returncode == DataError.exit_code, done.stderr
    assert "too little memory for a batch of 48; set accumulate: 2 (" in done.stderr
    assert "or batch: 24" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 32}, "a batch of 32; set accumulate: 2 .*, or batch: 16"),
        ({"batch": 32, "accumulate": 4}, "a batch of 32 in 4 parts; set accumulate: 8 .*"),
        ({"batch": 4, "accumulate": 4}, "a batch of 4 in 4 parts; set batch: 2"),
        ({"batch": 1}, "a batch of 1; set a smaller input_size or train_size"),
    ],
)
@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError()]
)
def test_what_to_try_where_memory_is_short(
    options: dict[str, Any], said: str, error: Exception
) -> None:
    plan = Plan(start="s", data="d", **options)
    with pytest.raises(DataError, match=f"too little memory for {said}$"), enough(plan):
        raise error


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), enough(Plan(start="s", data="d")):
        raise RuntimeError("shapes cannot be multiplied")


def test_a_broken_picture_is_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageReader, "encoded", lambda _, numbers: [b"" for _ in numbers])
    with pytest.raises(DataError, match=r"cannot be decoded: \d+_\w+.jpg \(empty"):
        learn(workspace, LEARNED)


def test_a_student_of_vectors_that_are_there(workspace: Path) -> None:
    entry = {**SMALL, "kind": "distill", "teacher": "tiny", "epochs": 1, "batch": 8}
    passport = learn(workspace, entry, "distilled")
    vectors = Passport.read(workspace / "models/tiny").dim
    assert passport.dim == vectors
    assert set(passport.data) == {
        "emoji.items.content",
        "emoji.items.split",
        "emoji.tiny.vector",
    }
    # Its vectors have the teacher's length: no layer is added, and timm's names stay.
    plain = backbones.create("test_resnet.r160_in1k")
    weights.restore(plain, workspace / "models/learned/model.safetensors")
    with pytest.raises(UnknownNameError, match="no model named 'tony'"):
        learn(workspace, {**entry, "teacher": "tony"}, "distilled")


def test_a_student_of_shorter_vectors_gets_a_layer(workspace: Path) -> None:
    other = {"kind": "timm", "backbone": "test_vit", "weights": "random", "input_size": 32}
    write(workspace, "models", "other", other)
    likewise.train("other", workspace=workspace)
    assert Passport.read(workspace / "models/other").dim == 64
    vectors = Passport.read(workspace / "models/tiny").dim
    entry = {**SMALL, "kind": "distill", "teacher": "tiny", "epochs": 1, "batch": 8}
    passport = learn(workspace, {**entry, "start": "other"}, "distilled")
    assert passport.dim == vectors != 64
    assert passport.architecture is not None
    assert passport.architecture.project == vectors


def test_pre_training_keeps_a_plain_backbone_and_hangs_on_no_label(workspace: Path) -> None:
    entry = {**SMALL, "kind": "ssl", "epochs": 1, "batch": 8, "dim": 8}
    passport = learn(workspace, entry, "pretrained")
    assert set(passport.data) == {"emoji.items.content", "emoji.items.split"}
    plain = backbones.create("test_resnet.r160_in1k")
    weights.restore(plain, workspace / "models/learned/model.safetensors")
    write(workspace, "trained", "tuned", {**LEARNED, "start": "learned", "epochs": 1})
    assert likewise.train("tuned", workspace=workspace).start == passport.weights_sha256


def test_whitening_is_fitted_and_embeds(workspace: Path) -> None:
    entry = {**SMALL, "kind": "whiten", "dim": 8, "scales": [1.0, 1.5]}
    assert learn(workspace, entry, "pretrained").dim == 8
    write(workspace, "embeddings", "emoji-learned", {"dataset": "emoji", "model": "learned"})
    assert likewise.embed("emoji", "learned", workspace=workspace).computed == 24
    write(workspace, "pretrained", "twice", {**entry, "start": "learned"})
    with pytest.raises(ConfigError, match="model 'learned' ends in a linear layer"):
        likewise.train("twice", workspace=workspace)


def test_why_says_what_has_changed_since(workspace: Path) -> None:
    learn(workspace, {**LEARNED, "epochs": 1})
    facts = {fact.what: fact for fact in likewise.why("learned", workspace=workspace)}
    assert facts["weights"].value == "trained from tiny on emoji"
    assert facts["option loss"].value == "multi-similarity"
    assert {fact.remark for fact in facts.values()} == {""}
    assert facts["steps"].value == "2"
    write(workspace, "trained", "learned", {**LEARNED, "epochs": 2})
    facts = {fact.what: fact for fact in likewise.why("learned", workspace=workspace)}
    assert facts["option epochs"].remark == "changed since; run: dvc repro"
    assert facts["option batch"].remark == ""
    with pytest.raises(UnknownNameError, match="no model named 'lerned'"):
        likewise.why("lerned", workspace=workspace)


def test_the_originals_choice_on_the_test_split_is_said(workspace: Path) -> None:
    (workspace / "catalog/sketches.yaml").write_text("title: S\nsource: {kind: sketch}\n")
    place = {"path": str(SKETCHES), "annotations": str(SKETCHES)}
    write(workspace, "datasets", "sketches", place)
    likewise.ingest("sketches", workspace=workspace)
    entry = {**SMALL, "kind": "arnet", "data": "sketches", "split": "train", "epochs": 1}
    learn(workspace, {**entry, "dim": 8, "batch": 32, "original": True})
    write(workspace, "embeddings", "s", {"dataset": "sketches", "model": "learned"})
    run = {"dataset": "sketches", "model": "learned", "index": "exact", "protocol": "sbir-acc"}
    write(workspace, "runs", "s", run)
    assert likewise.embed("sketches", "learned", workspace=workspace).computed == 212
    assert likewise.embed("sketches", "learned", workspace=workspace).taken_over == 212
    likewise.publish("sketches", workspace=workspace)
    found = likewise.evaluate("s", workspace=workspace)
    assert "chosen on the test split" in found.notes[-1]
    history = json.loads((workspace / "reports/training/learned/made.json").read_text())
    # The number that the weights were chosen by is that of the test split, of a GPU's rounding.
    assert history["history"][0]["acc@1"] * 100 == pytest.approx(
        found.metrics["acc@1"], abs=1e-2
    )
    told = {fact.what: fact.remark for fact in likewise.why("learned", workspace=workspace)}
    assert told["weights chosen"] == "its scores there are too good"


@pytest.mark.dvc
@pytest.mark.slow
def test_the_stages_of_models_that_learn(recorded: Path) -> None:
    write(recorded, "trained", "learned", LEARNED)
    write(recorded, "pretrained", "alone", {**SMALL, "kind": "ssl"})
    write(recorded, "distilled", "student", {**SMALL, "kind": "distill", "teacher": "tiny"})
    drawn = versions.run_dvc(recorded, "dag", "--dot")
    edges = {line.strip(' ;"') for line in drawn.replace('"', "").splitlines() if "->" in line}
    assert {
        "train@tiny -> fit@learned",
        "ingest@emoji -> fit@learned",
        "ingest@emoji -> pretrain@alone",
        "embed@emoji-tiny -> distill@student",
    } <= edges


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("trained", {"kind": "classify", "mixup": 0.5, "smoothing": 0.1, "validation": 0.3}),
        ("pretrained", {"kind": "ssl", "method": "dino", "outputs": 16, "local_size": 16}),
        ("pretrained", {"kind": "ssl", "method": "masked", "patch": 16}),
    ],
)
@pytest.mark.parametrize("ema", [0, 0.9])
def test_every_method_goes_through_the_loop(
    workspace: Path, section: str, options: dict[str, Any], ema: float
) -> None:
    entry = {**SMALL, **options, "epochs": 1, "batch": 8, "ema": ema}
    before = Passport.read(workspace / "models/tiny").weights_sha256
    assert learn(workspace, entry, section).weights_sha256 != before


@pytest.mark.parametrize(
    ("section", "options", "said"),
    [
        ("trained", {"kind": "classify", "batch": 1}, "from one picture at a time .batch: 1"),
        (
            "pretrained",
            {"kind": "ssl", "method": "dino", "start": "vit", "local_size": 17},
            "no small views of 17",
        ),
        ("pretrained", {"kind": "whiten", "scales": [0]}, "scales.0: Input should be greater"),
    ],
)
def test_options_that_no_backbone_takes(
    workspace: Path, section: str, options: dict[str, Any], said: str
) -> None:
    vit = {"kind": "timm", "backbone": "test_vit", "weights": "random", "input_size": 64}
    write(workspace, "models", "vit", vit)
    likewise.train("vit", workspace=workspace)
    size = {"input_size": 64 if "start" in options else 32}
    with pytest.raises((ConfigError, DataError), match=said):
        learn(workspace, {**SMALL, **size, **options}, section)
