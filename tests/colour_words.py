"""A model with a text tower for tests: mean colours of images, and words for colours."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

import likewise
from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport, Preprocessing, TextTower
from likewise.models.recipes.base import Recipe
from likewise.models.text_encoder import TextEncoder
from likewise.models.training import backbones
from likewise.models.training.encode import Encoder
from likewise.models.training.training_data import TrainingContext

if TYPE_CHECKING:
    import pytest

WORDS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "warm": (1, 0.5, 0)}

PREPROCESSING = Preprocessing(
    input_size=(3, 32, 32),
    interpolation="bilinear",
    crop_pct=1.0,
    crop_mode="squash",
    mean=(0.9, 0.9, 0.9),
    std=(1.0, 1.0, 1.0),
)


class MeanColour(nn.Module):
    """The mean of every channel."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


class ColourWords(Recipe):
    """Images by their mean colour, texts by the colours that they name."""

    templates: tuple[str, ...] = ("{}",)

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        folder.mkdir(parents=True, exist_ok=True)
        passport = Passport(
            recipe={"kind": "colour-words", **self.model_dump(mode="json")},
            backbone="mean",
            dim=3,
            weights_sha256="0" * 64,
            weights_source="none",
            preprocessing=PREPROCESSING,
            precision="float32",
            libraries={},
            text=TextTower(context_length=8, tokenizer="words", templates=self.templates),
        )
        passport.write(folder)
        return passport

    def load(self, folder: Path, role: str | None = None) -> Encoder:
        transform = backbones.pixel_transform(PREPROCESSING)
        return Encoder(MeanColour(), transform, Passport.read(folder), "cpu")

    def load_text(self, folder: Path) -> TextEncoder:
        return ColourEncoder(Passport.read(folder))


class ColourEncoder(TextEncoder):
    """The sum of the colours of words; 0.1 of white for every sentence."""

    def __init__(self, passport: Passport) -> None:
        self.dim, self.passport = 3, passport

    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        vectors = [
            np.sum([WORDS.get(word, (0, 0, 0)) for word in sentence.split()], axis=0) + 0.1
            for sentence in sentences
        ]
        return np.asarray(vectors, np.float32)

    def count_tokens(self, sentences: Sequence[str]) -> list[int]:
        return [len(sentence.split()) for sentence in sentences]


def register(patch: "pytest.MonkeyPatch") -> None:
    """Make ``colour-words`` a kind of recipe in this process."""
    from likewise.models.recipes import RECIPES

    patch.setitem(RECIPES._table, "colour-words", "colour_words:ColourWords")


def add_colours(root: Path, **options: Any) -> None:
    """Add the model ``colours`` to the catalogue of 24 drawings in ``root``, and publish it."""
    params = root / "params.yaml"
    fields = "".join(f", {name}: {value}" for name, value in options.items())
    text = params.read_text("utf-8")
    text = text.replace("models:\n", f"models:\n  colours: {{kind: colour-words{fields}}}\n", 1)
    entry = "embeddings:\n  emoji-colours: {dataset: emoji, model: colours}\n"
    params.write_text(text.replace("embeddings:\n", entry, 1), "utf-8")
    likewise.load("colours", workspace=root)
    likewise.embed("emoji", "colours", workspace=root)
    likewise.publish("emoji", workspace=root)
