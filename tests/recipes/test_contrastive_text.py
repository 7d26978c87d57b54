"""Contrastive training of a text tower: losses, tokenizer, search by words."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

import likewise
from learning import learn
from likewise.errors import ConfigError, DataError
from likewise.models import recipes
from likewise.models.training.class_anchors import class_anchors
from likewise.models.training.image_text_loss import (
    ImageTextLoss,
    Loss,
    chance_of_hit,
    text_recall,
)
from likewise.models.training.text_tower import PieceTower
from likewise.models.training.word_pieces import UNKNOWN, WordPieces

ENTRY: dict[str, Any] = {
    "kind": "contrastive-text",
    "init": "tiny",
    "data": "emoji",
    "split": None,
    "validation": 0,
    "epochs": 60,
    "batch": 24,
    "width": 32,
    "lr": 0.01,
}


def test_pieces_are_words_and_their_ngrams() -> None:
    pieces = WordPieces.learn(["Red car", "red cat"], (3, 4), 100)
    assert pieces.pieces[:3] == ("<ca", "<re", "<red")  # in both texts, then by name
    assert {"<red>", "<cat>", "cat>", "ed>"} <= set(pieces.pieces)
    assert pieces.encode("RED car!") == pieces.encode("red  Car")
    assert pieces.encode("xyz") == [UNKNOWN]
    assert len(WordPieces.learn(["red"], (3, 4), 2)) == 3


def test_the_tokenizer_is_read_as_written(tmp_path: Path) -> None:
    pieces = WordPieces.learn(["café", "tower"], (3, 5), 100)
    pieces.write(tmp_path / "tokenizer.json")
    assert WordPieces.read(tmp_path / "tokenizer.json") == pieces
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(DataError, match=r"is damaged .*run: dvc checkout"):
        WordPieces.read(tmp_path / "tokenizer.json")


class Fixed(PieceTower):
    """A tower with the vectors of two texts."""

    def forward(self, texts: Any) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0], [0.0, 1.0]])[[text[0] for text in texts]]


@pytest.mark.parametrize("kind", ["infonce", "sigmoid"])
def test_losses_are_those_of_the_papers(kind: Loss) -> None:
    """Three images: two of the first text, exactly its vector and one at 60 degrees."""
    loss = ImageTextLoss(Fixed(2, 2, 2, 0.0), [[0], [1]], kind)
    images = torch.tensor([[2.0, 0.0], [0.5, 0.75**0.5], [0.0, 3.0]])
    value = float(loss(images, torch.tensor([0, 0, 1])).detach())
    cosines = [[1, 0], [0.5, 0.75**0.5], [0, 1]]
    own = [0, 0, 1]
    if kind == "sigmoid":
        terms = [
            math.log1p(math.exp(-(1 if own[i] == t else -1) * (10 * cosines[i][t] - 10)))
            for i in range(3)
            for t in range(2)
        ]
        assert value == pytest.approx(sum(terms) / 3, rel=1e-5)
        return
    s = [[c / 0.07 for c in row] for row in cosines]
    by_image = [
        math.log(math.exp(s[i][0]) + math.exp(s[i][1])) - s[i][own[i]] for i in range(3)
    ]
    total = [math.log(sum(math.exp(s[i][t]) for i in range(3))) for t in range(2)]
    by_text = [((total[0] - s[0][0]) + (total[0] - s[1][0])) / 2, total[1] - s[2][1]]
    assert value == pytest.approx((sum(by_image) / 3 + sum(by_text) / 2) / 2, rel=1e-5)


def test_chance_and_recall_are_counted() -> None:
    assert chance_of_hit(720, 10, 5) == pytest.approx(
        1 - math.prod((710 - i) / (720 - i) for i in range(5))
    )
    items = np.eye(4, dtype=np.float32)
    found = text_recall(items, [0, 1, -1, 0], items[[1, 0]], k=1)
    assert (found.recall, found.texts, found.items) == (0.0, 2, 4)
    assert found.chance == pytest.approx((2 / 4 + 1 / 4) / 2)
    assert text_recall(items, [0, 1, -1, 0], items[:2], k=1).recall == 1.0


@pytest.mark.parametrize(
    "options", [{}, {"loss": "sigmoid"}, {"dim": 16}, {"words": "text-or-label"}]
)
def test_words_find_their_drawings(workspace: Path, options: dict[str, Any]) -> None:
    passport = learn(workspace, {**ENTRY, **options}, "aligned")
    assert passport.text is not None
    assert passport.text.tokenizer == "pieces"
    assert set(passport.files) == {"text.safetensors", "tokenizer.json"}
    assert {name.rpartition(".")[2] for name in passport.data} == {
        *("content", "label", "split", "text")
    }
    folder = workspace / "models/learned"
    tower = recipes.load_text(folder)
    assert tower.dim == passport.dim == (options.get("dim") or 96)
    emoji = likewise.open("emoji")
    encoder = recipes.load(folder)
    vectors = encoder.encode(emoji.images(emoji.items["item_id"].to_list()))
    texts = emoji.items["text"].to_list()
    names = sorted(set(texts))
    embedded = tower.encode_texts(names)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(embedded[1:2], tower.encode_texts(names[1:2]))
    owners = [names.index(text) for text in texts]
    recall = text_recall(vectors, owners, embedded, k=1).recall
    assert recall >= (0.5 if "loss" in options else 1.0)  # chance: 1/6
    if "dim" not in options:  # the image tower is the frozen backbone
        np.testing.assert_allclose(vectors, emoji.vectors("tiny"), atol=1e-5)


def test_held_out_texts_choose_the_weights(workspace: Path) -> None:
    learn(workspace, {**ENTRY, "validation": 0.34, "epochs": 2}, "aligned")
    text = (workspace / "reports/training/learned/made.json").read_text("utf-8")
    assert '"recall@5"' in text
    assert '"items": 16' in text  # 2 of 6 texts are held out, with 4 drawings each


def test_both_towers_learn(workspace: Path) -> None:
    entry = {**ENTRY, "image": "trained", "epochs": 1, "batch": 8, "input_size": 32}
    passport = learn(workspace, entry, "aligned")
    assert recipes.load_text(workspace / "models/learned").dim == passport.dim


def test_names_of_a_classifier_are_learned(workspace: Path) -> None:
    weights = timm.create_model("test_resnet").state_dict()
    torch.save(weights, workspace / "classified.pth")
    names, rows = class_anchors("file:classified.pth", 96, workspace)
    assert (names[0], rows.shape) == ("tench, Tinca tinca", (1000, 96))
    expected = weights["fc.weight"] - weights["fc.weight"].mean(dim=0)
    np.testing.assert_allclose(rows[3] @ expected[3].numpy(), expected[3].norm(), rtol=1e-5)
    entry = {**ENTRY, "classifier": "file:classified.pth", "epochs": 1}
    passport = learn(workspace, entry, "aligned")
    assert passport.recipe["classifier"] == "file:classified.pth"
    with pytest.raises(DataError, match=r"has 0 layers of 1,000 classes and 95 numbers"):
        class_anchors("file:classified.pth", 95, workspace)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ngrams": [5, 3]}, "ngrams must be two lengths"),
        ({"image": "trained", "validation": 0.1}, "keeps the last weights"),
        ({"classifier": "file:x.pth", "dim": 8}, "classifier needs image: locked and dim: 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    workspace: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        learn(workspace, {**ENTRY, **options}, "aligned")


def test_data_without_texts_are_refused(workspace: Path) -> None:
    items = likewise.open("emoji").items["item_id"].to_list()
    likewise.correct("emoji", items, {"text": None})
    with pytest.raises(
        DataError, match="no training item of emoji has a text; set words: label"
    ):
        learn(workspace, ENTRY, "aligned")
    learn(workspace, {**ENTRY, "words": "label", "epochs": 1}, "aligned")
    likewise.correct("emoji", items, {"text": "thing"})
    with pytest.raises(DataError, match="emoji has only one distinct text"):
        learn(workspace, ENTRY, "aligned")


def test_a_changed_tower_is_refused(workspace: Path) -> None:
    learn(workspace, {**ENTRY, "epochs": 1}, "aligned")
    path = workspace / "models/learned/tokenizer.json"
    path.write_text(path.read_text("utf-8").replace("house", "mouse"), "utf-8")
    with pytest.raises(DataError, match=r"tokenizer\.json differs from its passport"):
        recipes.load_text(workspace / "models/learned")
