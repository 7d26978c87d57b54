"""Validation of the vectors and ranked lists that protocols score."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.ranking import blocks
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Int64Array
from likewise.formats.arrays import to_matrix
from likewise.formats.counted_nouns import counted

Ids: TypeAlias = Sequence[str] | pl.Series

# Half of the float32 maximum. No sum of products overflows below it, so no score is NaN: by the
# Cauchy-Schwarz inequality no score exceeds the largest squared norm.
_LARGEST = float(np.finfo(np.float32).max) / 2


def as_vectors(values: AnyArray, ids: Ids) -> tuple[Float32Array, Float64Array]:
    """Convert ``values`` to contiguous float32 and compute their norms.

    Args:
        values: (n, d) of any float type, or of integers of one or two bytes.
        ids: ids of the n items, for messages.

    Returns:
        (n, d) float32 and (n,) float64.

    Raises:
        DataError: shape or type do not fit, or rows contain NaN, infinity or a norm beyond
            float32.
    """
    if values.ndim != 2 or not values.shape[1]:
        raise DataError(
            f"the embeddings have the shape {values.shape}; expected ({len(ids)}, dimensions)"
        )
    _check_count("embeddings", len(values), len(ids))
    if values.dtype.kind not in "fiu":
        raise DataError(f"the embeddings are of type {values.dtype}; expected floats")
    if values.dtype.kind in "iu" and values.itemsize > 2:
        raise DataError(
            f"the embeddings are whole numbers ({values.dtype}); expected floats "
            "(ranked lists are scored as indices)"
        )
    with np.errstate(over="ignore"):  # Overflows become infinite and are reported below.
        vectors = np.ascontiguousarray(values, np.float32)
    squares = _squared_norms(vectors)
    refuse_invalid(squares, ids)
    return vectors, np.sqrt(squares)


def refuse_invalid(squares: Float64Array, ids: Ids) -> None:
    """Refuse vectors with NaN, infinity or a norm beyond float32, by squared norms (n,).

    Raises:
        DataError: there are such vectors; the message names their rows.
    """
    invalid = np.flatnonzero(~(squares < _LARGEST))
    if len(invalid):
        raise DataError(
            "the embeddings hold NaN, infinity or numbers too large for float32 in "
            + _row_names(invalid, ids)
        )


def l2_normalised(vectors: Float32Array, norms: Float64Array) -> Float32Array:
    """Divide ``vectors`` (n, d) by their ``norms`` (n,); zero vectors stay zero."""
    unit: Float32Array = vectors / np.where(norms > 0, norms, 1).astype(np.float32)[:, None]
    return unit


def as_lists(
    lists: AnyArray | Sequence[Sequence[int]],
    ids: Ids,
    gallery: int,
    *,
    padded: bool = False,
) -> AnyArray:
    """Check ranked lists: (q, k) integers, each row a ranking of gallery positions, best first.

    The lists are not copied because full lists are large; read them by ``ranking.blocks``.

    Args:
        lists: (q, k) integers, or q sequences of equal length.
        ids: ids of the q queries, for messages.
        gallery: number of gallery items.
        padded: accept -1 at the end of lists, as an index returns for missing hits.

    Raises:
        DataError: shape or type do not fit; a list contains -1, a position outside the gallery
            or one twice.
    """
    array = lists if isinstance(lists, np.ndarray) else to_matrix(lists, "the lists")
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(
            f"the lists have the shape {array.shape}; expected ({len(ids)}, length)"
        )
    _check_count("lists", len(array), len(ids))
    if array.dtype.kind not in "iu":
        raise DataError(f"the lists are of type {array.dtype}; expected whole numbers (rows)")
    if array.shape[1] > gallery:
        raise DataError(
            f"each list has {counted(array.shape[1], 'image')}, but only "
            f"{counted(gallery, 'image')} can be ranked"
        )
    faults = [] if padded else _list_faults(array, ids, gallery)
    if faults:
        raise DataError("; ".join(faults))
    return array


def _check_count(kind: str, count: int, images: int) -> None:
    if count != images:
        raise DataError(
            f"{count:,} {kind} for {counted(images, 'image')}; expected one per image"
        )


def _squared_norms(vectors: Float32Array) -> Float64Array:
    squares = np.empty(len(vectors))
    for rows in blocks(len(vectors), vectors.shape[1] * 8):
        part = vectors[rows].astype(np.float64)
        squares[rows] = np.einsum("ij,ij->i", part, part)
    return squares


def _list_faults(array: AnyArray, ids: Ids, gallery: int) -> list[str]:
    """Describe invalid entries of the lists, in one sentence per kind of fault."""
    count, width = array.shape
    padded, outside, twice = np.zeros((3, count), bool)
    for rows in blocks(count, gallery + width * 8):
        block: Int64Array = np.asarray(array[rows], np.int64)
        padded[rows] = (block == -1).any(axis=1)
        outside[rows] = ((block < -1) | (block >= gallery)).any(axis=1)
        seen = np.zeros((len(block), gallery), bool)
        np.put_along_axis(seen, np.clip(block, 0, gallery - 1), True, axis=1)  # noqa: FBT003
        twice[rows] = seen.sum(axis=1) < width
    twice &= ~(padded | outside)
    kinds = (
        (padded, "-1 (no result; give full lists, or cut all of them where none is padded)"),
        (outside, f"a number outside 0 to {gallery - 1:,}"),
        (twice, "a number twice"),
    )
    return [
        f"the lists hold {fault} in {_row_names(np.flatnonzero(invalid), ids)}"
        for invalid, fault in kinds
        if invalid.any()
    ]


def _row_names(rows: Int64Array, ids: Ids) -> str:
    examples = (f"row {row} ({ids[row]})" for row in rows[:5].tolist())
    return f"{len(rows):,} row{'s' * (len(rows) > 1)}: {bounded(examples, len(rows))}"
