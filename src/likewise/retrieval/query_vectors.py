"""Vectors of queries: read, normalise, add and subtract them in the space of one model."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array
from likewise.formats.arrays import read_array
from likewise.formats.counted_nouns import counted
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.query_encoder import QueryEncoder
from likewise.retrieval.search_options import Numbers
from likewise.retrieval.search_query import TEXT_WEIGHT, Query, as_list

if TYPE_CHECKING:
    from PIL import Image


class QueryVectors:
    """Vectors of queries in the space of one model; all of them are L2-normalised."""

    def __init__(self, vectors: Vectors, encoder: QueryEncoder, model: str) -> None:
        """Use the vectors of items and the encoder of ``model``; nothing is read yet."""
        self.encoder = encoder
        self._vectors = vectors
        self._model = model

    def of(
        self,
        query: Query,
        pictures: "Sequence[Image.Image]",
        rows: Sequence[int],
        unlike: Sequence[int],
    ) -> Float32Array:
        """Return the vectors (q, d) of a query; one if they are combined by their mean.

        Args:
            query: a valid query.
            pictures: its images, cropped.
            rows: rows of its items.
            unlike: rows of the items that the hits should be unlike.
        """
        parts = [*self._without_texts(query, pictures, rows)]
        if query.texts:
            parts.append(_combined(self.of_texts(query.texts, query.templates), query))
        weight = TEXT_WEIGHT if query.text_weight is None else query.text_weight
        vectors = weighted_sums(parts[0], parts[1], weight) if len(parts) > 1 else parts[0]
        negative = [self.of_items(unlike)] if unlike else []
        if query.not_texts:
            negative.append(self.of_texts(query.not_texts, query.templates))
        return away_from(vectors, np.concatenate(negative)) if negative else vectors

    def of_pictures(
        self, pictures: "Sequence[Image.Image]", role: str = "query"
    ) -> Float32Array:
        """Embed pictures by the model of the items' vectors; (pictures, d).

        Args:
            pictures: decoded pictures.
            role: see ``query_role`` of ``QueryOptions``.
        """
        return _unit_vectors(self.encoder.encode(pictures, role))

    def of_texts(
        self, texts: Sequence[str], templates: str | Sequence[str] | None
    ) -> Float32Array:
        """Embed texts by the text tower of the model of the items' vectors; (texts, d)."""
        chosen = None if templates is None else as_list(templates)
        return _unit_vectors(self.encoder.encode_texts(texts, chosen))

    def of_items(self, rows: Sequence[int]) -> Float32Array:
        """Return the vectors of items, (len(rows), d)."""
        return _unit_vectors(self._vectors.take(list(rows)))

    def checked(self, vector: AnyArray) -> Float32Array:
        """Return a query vector (d,) L2-normalised.

        Raises:
            DataError: the vector has another number of dimensions, or all its values are 0.
        """
        if len(vector) != self._vectors.dim:
            what = f"the query has {counted(len(vector), 'dimension')}"
            raise DataError(
                f"{what}, the vectors of {self._model!r} have {self._vectors.dim:,}"
            )
        return unit_vector(vector)

    def _without_texts(
        self, query: Query, pictures: "Sequence[Image.Image]", rows: Sequence[int]
    ) -> Iterator[Float32Array]:
        """Yield the vectors of images, items or a vector; nothing for a query without them."""
        if pictures:
            yield _combined(self.of_pictures(pictures, query.query_role), query)
        elif rows:
            yield _combined(self.of_items(rows), query)
        elif query.vector is not None:
            yield self.checked(read_vector(query.vector))[None, :]


def _combined(vectors: Float32Array, query: Query) -> Float32Array:
    """Return the mean (1, d) of vectors (n, d), or all of them, as ``combine`` says."""
    if query.combine == "mean" and len(vectors) > 1:
        return unit_vector(vectors.mean(axis=0))[None, :]
    return vectors


def _unit_vectors(vectors: AnyArray) -> Float32Array:
    return np.stack([unit_vector(vector) for vector in vectors])


def read_vector(numbers: Numbers) -> Float64Array:
    """Return the vector (d,) of a query by vector.

    Raises:
        DataError: the file or array is not a single vector of numbers.
    """
    if isinstance(numbers, str | os.PathLike):
        name, values = str(numbers), read_array(Path(numbers))
    else:
        name, values = "the query", _as_array(numbers)
    if values.ndim == 2 and len(values) == 1:
        values = values[0]
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        shape = " x ".join(map(str, values.shape)) or "no"
        raise DataError(f"{name} has {shape} values of {values.dtype}; give one vector")
    return values.astype(np.float64)


def _as_array(numbers: npt.ArrayLike) -> AnyArray:
    try:
        return np.asarray(numbers)
    except ValueError as error:  # lists of several lengths
        raise DataError(f"the query is not one vector: {error}") from error


def unit_vector(values: AnyArray) -> Float32Array:
    """Return the vector (d,) of length 1 in the direction of ``values`` (d,).

    Raises:
        DataError: all values are 0, or a value is NaN or infinite.
    """
    vector = values.astype(np.float64)
    if not np.isfinite(vector).all():
        invalid = np.flatnonzero(~np.isfinite(vector))
        raise DataError(
            f"{counted(len(invalid), 'value of the vector', 'is', 'are')} NaN or infinite; the "
            f"first is at position {invalid[0]}"
        )
    # Divide by the largest value first, because its square could overflow a float64.
    largest = np.abs(vector).max(initial=0)
    if not largest:
        raise DataError("all values of the vector are 0: it has no direction")
    vector /= largest
    unit: Float32Array = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def weighted_sums(vectors: Float32Array, texts: Float32Array, weight: float) -> Float32Array:
    """Return the sum of every vector and every text vector, L2-normalised.

    Args:
        vectors: (n, d), L2-normalised.
        texts: (m, d), L2-normalised.
        weight: weight of the texts; that of ``vectors`` is 1 - ``weight``.

    Returns:
        (n * m, d); the sums of the first vector come first.
    """
    sums = (1 - weight) * vectors[:, None, :] + weight * texts[None, :, :]
    return _unit_vectors(sums.reshape(-1, vectors.shape[1]))


UNLIKE_WEIGHT = 0.5
"""Weight of negative examples: Rocchio's gamma, for a query of weight 1."""


def away_from(vectors: Float32Array, unlike: Float32Array) -> Float32Array:
    """Return query vectors (q, d) moved away from negative examples (n, d), L2-normalised.

    The weighted mean of the negative examples is subtracted from each query. Source: Rocchio,
    Relevance feedback in information retrieval, 1971; Manning, Raghavan, Schuetze, Introduction
    to Information Retrieval, 2008, equation 9.3.
    """
    moved = vectors - UNLIKE_WEIGHT * unlike.mean(axis=0)
    return _unit_vectors(moved)
