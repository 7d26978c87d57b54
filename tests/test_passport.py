"""Passports: stored facts, and the identity of a model."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from likewise.errors import DataError, MissingArtefactError
from likewise.models.passport import PASSPORT, Passport, Preprocessing, TextTower

HALF = Preprocessing(
    input_size=(3, 224, 224),
    interpolation="bicubic",
    crop_pct=0.875,
    crop_mode="center",
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)


def passport(**changes: Any) -> Passport:
    fields: dict[str, Any] = {
        "recipe": {"kind": "timm", "backbone": "resnet18", "weights": "file:a.pth"},
        "backbone": "resnet18",
        "dim": 512,
        "weights_sha256": "00" * 32,
        "weights_source": "file:a.pth sha256 11",
        "preprocessing": HALF,
        "precision": "float32",
        "libraries": {"torch": "2.15.0"},
        "data": {},
        "seed": 0,
    }
    return Passport(**{**fields, **changes})


def test_a_passport_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = passport(data={"gpr1200": "abc"}, seed=3)
    written.write(tmp_path)
    assert Passport.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == [PASSPORT]
    assert (tmp_path / PASSPORT).read_text() == written.to_json()
    optional = {"threads", "text", "files"}  # of trained models, text towers, other files
    fields = sorted(Passport.model_fields.keys() - optional)
    assert list(json.loads(written.to_json())) == fields
    trained = written.model_copy(update={"threads": 2})
    assert json.loads(trained.to_json())["threads"] == 2
    assert Passport.from_json(trained.to_json(), "here") == trained
    assert trained.identity() == written.identity()
    tower = TextTower(context_length=77, tokenizer="simple", templates=("a photo of a {}.",))
    both = written.model_copy(update={"text": tower, "files": {"config.json": "33" * 32}})
    assert Passport.from_json(both.to_json(), "here") == both


def test_the_identity_is_the_hash_of_what_determines_the_vectors() -> None:
    text = (
        '{"backbone":"resnet18","dim":512,"precision":"float32","preprocessing":'
        '{"crop_mode":"center","crop_pct":0.875,"input_size":[3,224,224],'
        '"interpolation":"bicubic","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]},'
        '"recipe":{"backbone":"resnet18","kind":"timm"},"weights_sha256":"' + "00" * 32 + '"}'
    )
    assert passport().identity() == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"libraries": {"torch": "2.16.0"}},
        {"weights_source": "hub timm/resnet18.a1_in1k@abc"},
        {"recipe": {"kind": "timm", "backbone": "resnet18", "weights": "hub"}},
        {"seed": 1},
        {"data": {"gpr1200": "abc"}},
        {"text": TextTower(context_length=77, tokenizer="simple")},
        {"recipe": {"kind": "timm", "backbone": "resnet18", "templates": ["a {}"]}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_does_not_move_the_vectors_keeps_the_identity(changes: dict[str, Any]) -> None:
    assert passport(**changes).identity() == passport().identity()


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_sha256": "22" * 32},
        {"preprocessing": HALF.model_copy(update={"crop_pct": 0.9})},
        {"dim": 256},
        {"precision": "bfloat16"},
        {"recipe": {"kind": "timm", "backbone": "resnet18", "pooling": "max"}},
        {"files": {"config.json": "33" * 32}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_moves_the_vectors_changes_the_identity(changes: dict[str, Any]) -> None:
    assert passport(**changes).identity() != passport().identity()


def test_a_folder_without_a_model_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(
        MissingArtefactError, match="the model was not made yet; run: dvc repro"
    ):
        Passport.read(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"dim": 3}', '{"unknown": 1}'])
def test_a_damaged_passport_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / PASSPORT).write_text(text)
    with pytest.raises(DataError, match=r"is not a valid passport \(.+\); run: dvc checkout"):
        Passport.read(tmp_path)
