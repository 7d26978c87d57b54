"""Fit a text tower by ridge regression, from texts with a known vector.

A contrastive training from random weights learns the texts that it sees, and little about other
words: two texts that share a word need not have similar vectors. Ridge regression is linear in
the pieces of a text, so each word has one vector, which other texts with this word share.

Source: Hoerl and Kennard, Ridge Regression, Technometrics 12 (1970); weights of pieces: Sparck
Jones, A statistical interpretation of term specificity, Journal of Documentation 28 (1972).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from likewise.formats.array_types import Float32Array, Float64Array
from likewise.models.training.text_tower import PieceTower
from likewise.models.training.word_pieces import UNKNOWN, WordPieces

WORD_WEIGHT = 3.0
"""Weight of a whole word relative to its n-grams."""

OWN_WEIGHT = 0.3
"""Weight of a text of the training items relative to a name of a classifier's class."""


@dataclass(frozen=True)
class Examples:
    """Texts with the vectors that a tower approximates.

    Attributes:
        texts: the texts.
        vectors: (texts, dim), L2-normalised.
        weights: (texts,), the weight of each text in the sum of squares.
    """

    texts: list[str]
    vectors: Float32Array
    weights: Float64Array


def examples(
    names: Sequence[str],
    codes: Sequence[int],
    fixed: Float32Array,
    classes: Sequence[str],
    directions: Float32Array,
) -> Examples:
    """Return the texts of items with their mean vectors, and the names of classes.

    Args:
        names: distinct texts of items.
        codes: (items,), the number of each item's text.
        fixed: (items, dim), the vectors of the items, L2-normalised.
        classes: names of classes; synonyms, separated by commas, become texts of their own,
            which share the weight 1 as 1 / sqrt(synonyms) each.
        directions: (classes, dim), L2-normalised.

    Returns:
        The mean vector of a text is that of its items without the mean of all items, which
        changes no order of items.
    """
    numbers = np.asarray(codes)
    means = np.stack([fixed[numbers == code].mean(axis=0) for code in range(len(names))])
    means -= fixed.mean(axis=0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    texts, rows = list(names), [means.astype(np.float32)]
    weights = [OWN_WEIGHT if classes else 1.0] * len(names)
    for name, direction in zip(classes, directions, strict=True):
        synonyms = [word for word in (part.strip() for part in name.split(",")) if word]
        texts += synonyms
        rows.append(np.repeat(direction[None], len(synonyms), axis=0))
        weights += [len(synonyms) ** -0.5] * len(synonyms)
    return Examples(texts, np.concatenate(rows), np.array(weights))


def piece_weights(pieces: WordPieces, texts: Sequence[str]) -> torch.Tensor:
    """Return (tokens,) weights: ln(texts / texts with the piece), 3 times that for words.

    The weight of the token for unknown texts is 1, and no weight is below a small positive one.
    """
    counts = np.zeros(len(pieces))
    for text in texts:
        counts[list(set(pieces.encode(text)))] += 1
    weights = np.log(len(texts) / np.maximum(counts, 1)).clip(min=1e-3)
    whole = [piece.startswith("<") and piece.endswith(">") for piece in pieces.pieces]
    weights[1:][whole] *= WORD_WEIGHT
    weights[UNKNOWN] = 1.0
    return torch.from_numpy(weights.astype(np.float32))


def fit(tower: PieceTower, pieces: WordPieces, given: Examples, ridge: float) -> None:
    """Set the weights of a linear tower to those of a weighted ridge regression.

    The vectors of texts are approximated in the space of their first ``width`` singular
    vectors. Texts without a known piece get the weighted mean vector.

    Args:
        tower: a tower with ``linear=True``.
        pieces: its tokenizer.
        given: texts and vectors.
        ridge: weight of the sum of squares of the tower's weights.
    """
    tower.piece_weights.copy_(piece_weights(pieces, given.texts))
    features = _features(tower, [pieces.encode(text) for text in given.texts])
    with threadpool_limits(1):  # the number of threads changes no bit
        vectors = given.vectors.astype(np.float64)
        weighted = vectors * np.sqrt(given.weights)[:, None]
        _, axes = np.linalg.eigh(weighted.T @ weighted)
        axes = axes[:, ::-1][:, : tower.table.embedding_dim]
        targets = vectors @ axes
        model = Ridge(alpha=ridge, fit_intercept=False, solver="sparse_cg", tol=1e-6)
        model.fit(features, targets, sample_weight=given.weights)
        table = np.zeros(tuple(tower.table.weight.shape))
        table[:, : axes.shape[1]] = np.atleast_2d(model.coef_).T
        table[UNKNOWN, : axes.shape[1]] = np.average(targets, axis=0, weights=given.weights)
    last = cast("torch.nn.Linear", tower.layers[0])
    layer = np.zeros(tuple(last.weight.shape))
    layer[:, : axes.shape[1]] = axes
    with torch.no_grad():
        tower.table.weight.copy_(torch.from_numpy(table))
        last.weight.copy_(torch.from_numpy(layer))


def _features(tower: PieceTower, texts: Sequence[Sequence[int]]) -> sparse.csr_array:
    """Return (texts, tokens): what the tower multiplies its table with."""
    weights = tower.piece_weights.numpy().astype(np.float64)
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    numbers = np.array([number for text in texts for number in text])
    norms = np.sqrt(np.bincount(rows, weights[numbers] ** 2, len(texts)))
    shape = (len(texts), len(weights))
    return sparse.csr_array((weights[numbers] / norms[rows], (rows, numbers)), shape=shape)
