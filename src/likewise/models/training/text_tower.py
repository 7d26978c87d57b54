"""A small text tower: the sum of the vectors of word pieces, and one or two layers."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from likewise.errors import DataError
from likewise.formats.array_types import Float32Array
from likewise.formats.file_hashes import file_sha256
from likewise.models.passport import Passport, TextTower
from likewise.models.text_encoder import TextEncoder
from likewise.models.training import weights
from likewise.models.training.word_pieces import WordPieces

WEIGHTS, TOKENIZER = "text.safetensors", "tokenizer.json"
"""The files of a text tower, next to those of the image tower."""

MOST_TOKENS = 512
"""Number of pieces of a text that are read."""


class PieceTower(nn.Module):
    """Embeds texts as vectors (texts, dim), from the numbers of their pieces."""

    piece_weights: torch.Tensor
    """(tokens,), the weight of each piece in the sum of a text."""

    def __init__(
        self, tokens: int, width: int, dim: int, dropout: float, *, linear: bool = False
    ) -> None:
        """Create random weights.

        Args:
            tokens: number of tokens.
            width: length of the vector of a token, and of the hidden layer.
            dim: length of the vector of a text.
            dropout: share of the pieces of a text that are left out in training.
            linear: one linear layer instead of two layers with an activation in between.
        """
        super().__init__()
        self.table = nn.EmbeddingBag(tokens, width, mode="sum")
        self.layers = (
            nn.Sequential(nn.Linear(width, dim, bias=False))
            if linear
            else nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, dim))
        )
        self.register_buffer("piece_weights", torch.ones(tokens))
        self.dropout = dropout
        nn.init.normal_(self.table.weight, std=width**-0.5)

    def forward(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Embed texts, given as numbers of pieces: (texts, dim), not normalised."""
        device = self.table.weight.device
        numbers = torch.tensor([n for text in texts for n in text], device=device)
        sizes = torch.tensor([len(text) for text in texts], device=device)
        starts = sizes.cumsum(0) - sizes
        shares = self.piece_weights[numbers]
        owners = torch.arange(len(texts), device=device).repeat_interleave(sizes)
        squares = torch.zeros(len(texts), device=device).index_add(0, owners, shares.square())
        if self.training and self.dropout:
            shares = torch.nn.functional.dropout(shares, self.dropout)
        pooled = self.table(numbers, starts, per_sample_weights=shares)
        return cast("torch.Tensor", self.layers(pooled / squares.sqrt()[:, None]))


class PieceEncoder(TextEncoder):
    """The text tower of a model of the recipe ``contrastive-text``."""

    def __init__(self, folder: Path, passport: Passport) -> None:
        """Load the tower in the folder of a model.

        Raises:
            DataError: a file is missing, or differs from the passport.
        """
        for name in (WEIGHTS, TOKENIZER):
            path = folder / name
            if not path.is_file() or file_sha256(path) != passport.files.get(name):
                raise DataError(f"{path} differs from its passport; run: dvc checkout")
        self.passport, self.dim = passport, passport.dim
        self._pieces = WordPieces.read(folder / TOKENIZER)
        width, linear = (
            int(passport.recipe["width"]),
            passport.recipe["text_init"] == "regression",
        )
        tower = PieceTower(len(self._pieces), width, passport.dim, 0.0, linear=linear)
        self._tower = tower.eval()
        weights.restore(self._tower, folder / WEIGHTS)

    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        """Embed sentences: (sentences, dim), one after the other."""
        encoded = [self._pieces.encode(text)[:MOST_TOKENS] for text in sentences]
        with torch.inference_mode():
            rows = [self._tower([one]) for one in encoded]
        return np.asarray(torch.cat(rows).numpy(), dtype=np.float32)

    def count_tokens(self, sentences: Sequence[str]) -> list[int]:
        """Return the number of known pieces of each sentence."""
        return [len(self._pieces.encode(text)) for text in sentences]


def save(tower: PieceTower, pieces: WordPieces, folder: Path, passport: Passport) -> Passport:
    """Write a tower into the folder of a model; return the passport with it, also written."""
    sha256 = weights.save(tower, folder / WEIGHTS)
    pieces.write(folder / TOKENIZER)
    files = {WEIGHTS: sha256, TOKENIZER: file_sha256(folder / TOKENIZER)}
    text = TextTower(context_length=MOST_TOKENS, tokenizer="pieces")
    passport = passport.model_copy(update={"text": text, "files": files})
    passport.write(folder)
    return passport
