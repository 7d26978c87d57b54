"""Text towers: templates, empty texts, and models without one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from likewise.errors import DataError
from likewise.formats.array_types import Float32Array
from likewise.models import recipes
from likewise.models.passport import Passport, TextTower
from likewise.models.text_encoder import TextEncoder

CORNERS = {"a cat": (3.0, 0.0), "one cat": (0.0, 2.0), "a dog": (0.0, 0.0)}


class Corners(TextEncoder):
    """A text tower of two dimensions, which knows three sentences."""

    def __init__(self) -> None:
        self.dim = 2
        self.passport = Passport.model_construct(
            text=TextTower(context_length=2, tokenizer="words")
        )

    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        return np.array([CORNERS[sentence] for sentence in sentences], np.float32)

    def count_tokens(self, sentences: Sequence[str]) -> list[int]:
        return [len(sentence.split()) for sentence in sentences]


def test_vectors_have_the_length_one() -> None:
    vectors = Corners().encode_texts(["a cat", "one cat"])
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [[1, 0], [0, 1]])
    assert Corners().encode_texts([]).shape == (0, 2)


def test_templates_are_averaged_as_unit_vectors() -> None:
    vectors = Corners().encode_texts(["cat"], ["a {}", "one {}"])
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)


@pytest.mark.parametrize(
    ("texts", "templates", "message"),
    [
        (["a cat", " "], ["{}"], "texts are empty: number 1"),
        (["cat"], ["a photo"], "contains {} once, .+ does not: 'a photo'"),
        (["cat"], [], "templates must be a list"),
        (["cat"], "a {}", "templates must be a list"),
        (["a dog"], ["{}"], "vectors of zeros or NaN for 'a dog'"),
    ],
)
def test_a_wrong_text_is_one_line(
    texts: list[str], templates: Sequence[str], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Corners().encode_texts(texts, templates)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_text_tower_is_refused(tmp_path: Path) -> None:
    recipe = {"kind": "timm", "backbone": "resnet18", "weights": "random"}
    folder = tmp_path / "tiny"
    Passport(
        recipe=recipe,
        backbone="resnet18",
        dim=512,
        weights_sha256="00" * 32,
        weights_source="random seed 0",
        preprocessing=None,
        precision="float32",
        libraries={},
    ).write(folder)
    message = "^model 'tiny' has no text tower, so it cannot embed a text; use --keywords"
    with pytest.raises(DataError, match=message):
        recipes.load_text(folder)
    with pytest.raises(DataError, match=message):
        recipes.RECIPES.build(recipe, "here").load_text(folder)
