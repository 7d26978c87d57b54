"""Embed texts by the text tower of a library's model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport
from likewise.models.text_encoder import TextEncoder
from likewise.models.training.encode import default_device
from likewise.models.training.single_thread import forward_each

Inputs = dict[str, torch.Tensor]
"""The inputs of a text tower for one sentence, by name: (1, tokens)."""

GPU_BATCH = 256


class Tokenizer(Protocol):
    """Turns a sentence into the inputs of a text tower."""

    def inputs(self, sentence: str) -> Inputs:
        """Return the inputs of a sentence, cut to the context of the model."""
        ...

    def count(self, sentence: str) -> int:
        """Return the number of tokens of the uncut sentence, with the special tokens."""
        ...


class TowerText(TextEncoder):
    """A text tower with its tokenizer.

    On a CPU every sentence has a forward pass of its own, in one thread, so that its vector
    depends neither on other sentences nor on the number of threads.
    """

    def __init__(
        self,
        tower: nn.Module,
        tokenizer: Tokenizer,
        passport: Passport,
        device: str | None = None,
    ) -> None:
        """Move ``tower`` to ``device``; by default to a GPU, or to the CPU without one.

        Args:
            tower: gives vectors (n, dim) of inputs, which it gets by name.
            tokenizer: the tokenizer of the model.
            passport: the passport of the model.
            device: a torch device.
        """
        self.dim = passport.dim
        self.passport = passport
        self._device = torch.device(device or default_device())
        self._tower = tower.eval().to(self._device)
        self._tokenizer = tokenizer

    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        """Embed sentences: (sentences, dim), float32, not normalised."""
        inputs = [self._tokenizer.inputs(sentence) for sentence in sentences]
        if self._device.type == "cuda":
            vectors = self._on_gpu(inputs)
        else:
            vectors = torch.cat(forward_each(self._forward, inputs))
        return np.asarray(vectors.numpy(), np.float32)

    def count_tokens(self, sentences: Sequence[str]) -> list[int]:
        """Return the number of tokens of each uncut sentence, with the special tokens."""
        return [self._tokenizer.count(sentence) for sentence in sentences]

    def _forward(self, inputs: Inputs) -> torch.Tensor:
        vectors: torch.Tensor = self._tower(**inputs)
        return vectors.float()

    def _on_gpu(self, inputs: list[Inputs]) -> torch.Tensor:
        """Embed sentences of equal numbers of tokens together."""
        by_length: dict[int, list[int]] = {}
        for number, one in enumerate(inputs):
            by_length.setdefault(next(iter(one.values())).shape[1], []).append(number)
        vectors = torch.empty(len(inputs), self.dim)
        for numbers in by_length.values():
            for start in range(0, len(numbers), GPU_BATCH):
                rows = numbers[start : start + GPU_BATCH]
                names = inputs[rows[0]]
                batch = {
                    name: torch.cat([inputs[row][name] for row in rows]).to(self._device)
                    for name in names
                }
                with torch.inference_mode():
                    vectors[rows] = self._forward(batch).cpu()
        return vectors
