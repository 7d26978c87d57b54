"""Trained models: outputs, vectors and dependencies, by every method."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import likewise
from forked import run_dvc
from learning import LEARNED, SMALL, learn, write
from likewise.errors import ConfigError, UnknownNameError
from likewise.models.passport import Passport
from likewise.models.training import backbones, weights

pytestmark = pytest.mark.torch

SKETCHES = Path(__file__).parents[2] / "samples" / "sketches"


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
    best = made["history"][made["best_epoch"] - 1]
    assert best["map"] == max(row["map"] for row in made["history"])
    judged = {name: best[name] for name in ("map", "precision@1")}
    assert (metrics["validation"], metrics["epoch"]) == (judged, made["best_epoch"])
    assert metrics["train"]["epoch_loss"] == made["history"][-1]["loss"]
    write(workspace, "embeddings", "emoji-learned", {"dataset": "emoji", "model": "learned"})
    assert likewise.embed("emoji", "learned", workspace=workspace).computed == 24
    again = likewise.train("learned", workspace=workspace)
    assert again == passport  # the same weights, to the bit
    assert not list((workspace / ".likewise/trainings/learned").iterdir())


def test_a_classifier_is_chosen_by_the_accuracy_of_one_image_of_each_class(
    workspace: Path,
) -> None:
    entry = {**SMALL, "kind": "classify", "validation": 0.25, "epochs": 4, "lr": 0.01}
    learn(workspace, entry)
    made = json.loads((workspace / "reports/training/learned/made.json").read_text())
    found = [row["accuracy"] for row in made["history"]]
    assert [round(6 * share, 6) % 1 for share in found] == [0, 0, 0, 0]  # 1 of 4 of 6 classes
    assert made["best_epoch"] == 1 + found.index(max(found))


def test_patience_ends_early_and_says_so(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(workspace, {**LEARNED, "lr": 1e-12, "epochs": 5, "patience": 1})
    made = json.loads((workspace / "reports/training/learned/made.json").read_text())
    assert [row["epoch"] for row in made["history"]] == [1, 2]
    said = "train: stops after epoch 2: no improvement since epoch 1\n"
    assert said in capsys.readouterr().err


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
    likewise.load("other", workspace=workspace)
    assert Passport.read(workspace / "models/other").dim == 64
    vectors = Passport.read(workspace / "models/tiny").dim
    entry = {**SMALL, "kind": "distill", "teacher": "tiny", "epochs": 1, "batch": 8}
    passport = learn(workspace, {**entry, "init": "other"}, "distilled")
    assert passport.dim == vectors != 64
    assert passport.architecture is not None
    assert passport.architecture.projection_dim == vectors


def test_pre_training_keeps_a_plain_backbone_and_hangs_on_no_label(workspace: Path) -> None:
    entry = {**SMALL, "kind": "ssl", "epochs": 1, "batch": 8, "dim": 8}
    passport = learn(workspace, entry, "pretrained")
    assert set(passport.data) == {"emoji.items.content", "emoji.items.split"}
    plain = backbones.create("test_resnet.r160_in1k")
    weights.restore(plain, workspace / "models/learned/model.safetensors")
    write(workspace, "trained", "tuned", {**LEARNED, "init": "learned", "epochs": 1})
    assert likewise.train("tuned", workspace=workspace).start == passport.weights_sha256


def test_whitening_is_fitted_and_embeds(workspace: Path) -> None:
    entry = {**SMALL, "kind": "whiten", "dim": 8, "scales": [1.0, 1.5]}
    assert learn(workspace, entry, "pretrained").dim == 8
    write(workspace, "embeddings", "emoji-learned", {"dataset": "emoji", "model": "learned"})
    assert likewise.embed("emoji", "learned", workspace=workspace).computed == 24
    write(workspace, "pretrained", "twice", {**entry, "init": "learned"})
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


def test_the_originals_choice_on_the_test_split_is_reported(workspace: Path) -> None:
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
    # The metric that chose the weights is that of the test split, up to a GPU's rounding.
    assert history["history"][0]["acc@1"] * 100 == pytest.approx(
        found.metrics["acc@1"], abs=1e-2
    )
    told = {fact.what: fact.remark for fact in likewise.why("learned", workspace=workspace)}
    assert told["weights chosen"] == "its scores there are too good"


@pytest.mark.dvc
def test_the_stages_of_models_that_learn(recorded: Path) -> None:
    write(recorded, "trained", "learned", LEARNED)
    write(recorded, "pretrained", "alone", {**SMALL, "kind": "ssl"})
    write(recorded, "distilled", "student", {**SMALL, "kind": "distill", "teacher": "tiny"})
    drawn = run_dvc(recorded, "dag", "--dot")
    edges = {line.strip(' ;"') for line in drawn.replace('"', "").splitlines() if "->" in line}
    assert {
        "load@tiny -> train@learned",
        "ingest@emoji -> train@learned",
        "ingest@emoji -> pretrain@alone",
        "embed@emoji-tiny -> distill@student",
    } <= edges


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("trained", {"kind": "classify", "mixup": 0.5, "smoothing": 0.1, "validation": 0.3}),
        ("pretrained", {"kind": "ssl", "method": "dino", "prototypes": 16, "local_size": 16}),
        ("pretrained", {"kind": "ssl", "method": "masked", "mask_patch_size": 16}),
    ],
)
@pytest.mark.parametrize("ema", [0, 0.9])
def test_every_method_goes_through_the_loop(
    workspace: Path, section: str, options: dict[str, Any], ema: float
) -> None:
    entry = {**SMALL, **options, "epochs": 1, "batch": 8, "ema": ema}
    before = Passport.read(workspace / "models/tiny").weights_sha256
    assert learn(workspace, entry, section).weights_sha256 != before
