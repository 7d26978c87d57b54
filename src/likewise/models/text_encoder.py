"""Text towers: models that embed texts in the space of their image vectors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from likewise.errors import DataError, bounded
from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport, TextTower

PLAIN = "{}"
"""The template that leaves a text as it is."""


class TextEncoder(ABC):
    """A model that embeds texts as vectors of ``dim`` values.

    Attributes:
        dim: the length of the vectors, equal to that of the image vectors.
        passport: the passport of the model; its field ``text`` describes the text tower.
    """

    dim: int
    passport: Passport

    @abstractmethod
    def embed_sentences(self, sentences: Sequence[str]) -> Float32Array:
        """Embed sentences: (sentences, dim), of any length; templates are already filled in.

        The vector of a sentence does not depend on the other sentences. A sentence longer than
        the context of the model is cut, as the library of the model does.
        """

    @abstractmethod
    def count_tokens(self, sentences: Sequence[str]) -> list[int]:
        """Return the number of tokens of each uncut sentence, with the special tokens.

        A sentence with more tokens than ``passport.text.context_length`` is cut.
        """

    def encode_texts(
        self, texts: Sequence[str], templates: Sequence[str] = (PLAIN,)
    ) -> Float32Array:
        """Embed texts: (texts, dim), float32, L2-normalised.

        With several templates, the vector of a text is the normalised mean of the normalised
        vectors of its sentences.

        Args:
            texts: sentences, or names of classes.
            templates: sentences in which ``{}`` stands for the text.

        Raises:
            DataError: a text is empty, a template has no ``{}``, or a vector is zero or
                contains NaN.

        Source: Radford et al., Learning Transferable Visual Models From Natural Language
        Supervision, ICML 2021 (prompt ensembling in embedding space).
        """
        check_templates(templates)
        empty = [number for number, text in enumerate(texts) if not text.strip()]
        if empty:
            raise DataError(f"texts are empty: number {bounded(empty, len(empty))}")
        if not texts:
            return np.empty((0, self.dim), np.float32)
        sentences = [template.replace(PLAIN, text) for text in texts for template in templates]
        vectors = self._normalised(self.embed_sentences(sentences), sentences)
        if len(templates) == 1:
            return vectors
        means = vectors.reshape(len(texts), len(templates), self.dim).mean(axis=1)
        return self._normalised(means, texts)

    def _normalised(self, vectors: Float32Array, texts: Sequence[str]) -> Float32Array:
        """Return unit vectors.

        Raises:
            DataError: a vector is zero or contains NaN.
        """
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        valid = (np.isfinite(lengths) & (lengths > 0)).ravel()
        if not valid.all():
            bad = [repr(text) for text, good in zip(texts, valid, strict=True) if not good]
            raise DataError(
                "the text tower gives vectors of zeros or NaN for "
                f"{bounded(bad, len(bad))}; inspect its weights"
            )
        return np.asarray(vectors / lengths, dtype=np.float32)


def check_templates(templates: Sequence[str]) -> None:
    """Refuse templates in which no text can be filled.

    Raises:
        DataError: there is none, or one does not contain ``{}`` exactly once.
    """
    if isinstance(templates, str) or not templates:
        raise DataError('templates must be a list such as ["a photo of a {}."]')
    wrong = [repr(template) for template in templates if template.count(PLAIN) != 1]
    if wrong:
        raise DataError(
            f"a template contains {PLAIN} once, where the text goes; this one does not: "
            f"{bounded(wrong, len(wrong))}"
        )


def check_text_tower(passport: Passport, model: str) -> TextTower:
    """Return the facts of a text tower, or refuse a model without one; nothing is loaded.

    Args:
        passport: the passport of the model.
        model: its name, for the message.

    Raises:
        DataError: the passport names no text tower.
    """
    if passport.text is None:
        raise no_text_tower(model)
    return passport.text


def no_text_tower(model: str) -> DataError:
    """Return the error for a model that cannot embed texts."""
    return DataError(
        f"model {model!r} has no text tower, so it cannot embed a text; use --keywords to "
        "search the words of items, or a model with a text tower "
        "(likewise add-model NAME --kind open_clip)"
    )
