"""A text tower that starts from a ridge regression."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import likewise
from learning import learn
from likewise.errors import ConfigError
from likewise.models import recipes
from likewise.models.training.image_text_loss import text_recall
from likewise.models.training.text_regression import examples, fit, piece_weights
from likewise.models.training.text_tower import PieceTower
from likewise.models.training.word_pieces import WordPieces

ENTRY: dict[str, Any] = {
    "kind": "contrastive-text",
    "init": "tiny",
    "data": "emoji",
    "split": None,
    "validation": 0,
    "text_init": "regression",
    "width": 32,
}
TEXTS = ["red car", "blue car", "red cat"]
VECTORS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0.6, 0, 0.8, 0]], np.float32)


def fitted(width: int) -> tuple[PieceTower, WordPieces]:
    pieces = WordPieces.learn(TEXTS, (3, 3), 100)
    given = examples(TEXTS, [0, 1, 2], VECTORS, [], np.empty((0, 4), np.float32))
    tower = PieceTower(len(pieces), width, 4, 0.0, linear=True)
    fit(tower, pieces, given, ridge=0.5)
    return tower.eval(), pieces


def embedded(tower: PieceTower, pieces: WordPieces, texts: list[str]) -> np.ndarray[Any, Any]:
    with torch.inference_mode():
        return np.asarray(tower([pieces.encode(text) for text in texts]).numpy())


def test_it_is_ridge_regression() -> None:
    """X X' (X X' + ridge)^-1 T; a piece weighs ln(3 / count), a whole word 3 times that."""
    tower, pieces = fitted(4)
    counts = [sum(piece in WordPieces.learn([text], (3, 3), 99).pieces for text in TEXTS)
              for piece in pieces.pieces]  # fmt: skip
    weights = [max(math.log(3 / count), 1e-3) * (3 if piece[0] + piece[-1] == "<>" else 1)
               for piece, count in zip(pieces.pieces, counts, strict=True)]  # fmt: skip
    np.testing.assert_allclose(piece_weights(pieces, TEXTS)[1:], weights, rtol=1e-6)
    features = np.zeros((3, len(weights)))
    for row, text in enumerate(TEXTS):
        for number in pieces.encode(text):
            features[row, number - 1] += weights[number - 1]
        features[row] /= math.sqrt(sum(weights[n - 1] ** 2 for n in pieces.encode(text)))
    means = VECTORS - VECTORS.mean(axis=0)
    targets = means / np.linalg.norm(means, axis=1, keepdims=True)
    solved = np.linalg.solve(features @ features.T + 0.5 * np.eye(3), targets)
    expected = features @ features.T @ solved
    np.testing.assert_allclose(embedded(tower, pieces, TEXTS), expected, atol=1e-5)


def test_a_word_has_the_same_vector_in_each_text() -> None:
    tower, pieces = fitted(4)
    [both, cat, blue] = embedded(tower, pieces, ["blue cat", "cat", "blue"])
    shares = np.linalg.lstsq(np.stack([cat, blue]).T, both, rcond=None)
    np.testing.assert_allclose(np.stack([cat, blue]).T @ shares[0], both, atol=1e-5)
    assert (shares[0] > 0.5).all()


def test_unknown_texts_get_the_mean_of_all() -> None:
    tower, pieces = fitted(4)
    means = VECTORS - VECTORS.mean(axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(
        embedded(tower, pieces, ["zzz"])[0], means.mean(axis=0), atol=1e-6
    )


def test_synonyms_are_texts_of_their_own() -> None:
    given = examples(["red"], [0, 0], VECTORS[:2], ["violin, fiddle", "key"], VECTORS[1:])
    assert given.texts == ["red", "violin", "fiddle", "key"]
    np.testing.assert_array_equal(given.vectors[1:], VECTORS[[1, 1, 2]])
    np.testing.assert_allclose(given.weights, [0.3, 0.5**0.5, 0.5**0.5, 1])


def test_learned_names_are_searched_without_an_epoch(workspace: Path) -> None:
    learn(workspace, {**ENTRY, "epochs": 0, "validation": 0.34}, "aligned")
    summary = (workspace / "reports/training/learned/made.json").read_text("utf-8")
    assert '"steps": 0' in summary
    assert '"best_epoch": 0' in summary
    learn(workspace, {**ENTRY, "epochs": 0}, "aligned")
    emoji = likewise.open("emoji")
    texts = emoji.items["text"].to_list()
    names = sorted(set(texts))
    tower = recipes.load_text(workspace / "models/learned")
    owners = [names.index(text) for text in texts]
    vectors = np.asarray(emoji.vectors("tiny"))
    assert (
        text_recall(vectors, owners, tower.encode_texts(names), k=1).recall >= 0.5
    )  # chance: 1/6
    before = tower.encode_texts(names)
    learn(workspace, {**ENTRY, "epochs": 2, "lr": 1e-3}, "aligned")
    after = recipes.load_text(workspace / "models/learned").encode_texts(names)
    assert 0.5 < float((before * after).sum(axis=1).min()) < 1 - 1e-6  # it moved from there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_init": "random", "epochs": 0}, "epochs: 0 needs text_init: regression"),
        ({"dim": 8}, "text_init: regression needs image: locked and dim: 0"),
        ({"image": "trained"}, "text_init: regression needs image: locked"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    workspace: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        learn(workspace, {**ENTRY, **options}, "aligned")
