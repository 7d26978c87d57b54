"""Rank vectors that are read in blocks, because all of them may be larger than the memory."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from likewise.evaluation.protocols.inputs import refuse_invalid
from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.ranking import (
    TILE_ROWS,
    BlockedGallery,
    BlockedQueries,
    Progress,
    Ranking,
    rank_blocks,
)
from likewise.formats.array_types import Float32Array, Float64Array, FloatArray, Int64Array
from likewise.formats.vector_blocks import VectorBlocks, regrouped

_QUERY_SHARE = 1 / 8
"""Part of the memory that the vectors of queries may use."""


def stored_norms(vectors: VectorBlocks, ids: pl.Series) -> Float64Array:
    """Return the norms (n,) of the vectors.

    Raises:
        DataError: vectors contain NaN, infinity or a norm beyond float32.
    """
    squares = np.empty(vectors.rows)
    start = 0
    for block in vectors.read():
        part = block.astype(np.float64)
        squares[start : start + len(part)] = np.einsum("ij,ij->i", part, part)
        start += len(part)
    refuse_invalid(squares, ids)
    return np.sqrt(squares)


def rank_stored(
    vectors: VectorBlocks,
    task: RetrievalTask,
    norms: Float64Array | None,
    *,
    top: int,
    read: Callable[[slice], Float32Array] | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Rank the gallery of ``task`` for every query by inner products.

    Args:
        vectors: one vector per item.
        task: queries, gallery and relevance.
        norms: (n,) the norms by which the vectors are divided; None for no division.
        top: number of first hits to keep.
        read: returns the vectors of a slice of the queries, if they are other vectors.
        progress: see ``rank_blocks``.
    """
    lengths = divisors(norms)

    def tiles() -> Iterator[Float32Array]:
        return regrouped(_gallery(vectors, task, lengths), TILE_ROWS)

    def read_stored(chosen: slice) -> Float32Array:
        return taken(vectors, task.queries[chosen], lengths)

    part = int(vectors.memory * _QUERY_SHARE / (4 * vectors.dim))
    return rank_blocks(
        BlockedQueries(len(task.queries), read or read_stored, part),
        BlockedGallery(len(task.gallery), tiles),
        task.relevant,
        task.left_out,
        top=top,
        progress=progress,
    )


def divisors(norms: Float64Array | None) -> Float32Array | None:
    """Return the numbers by which vectors of these norms are divided; None for none."""
    return None if norms is None else np.where(norms > 0, norms, 1).astype(np.float32)


def stored_gallery(
    vectors: VectorBlocks, task: RetrievalTask, norms: Float64Array | None
) -> VectorBlocks:
    """Return the vectors of the gallery of ``task``, divided by their norms, in blocks."""
    lengths = divisors(norms)
    return VectorBlocks(
        len(task.gallery),
        vectors.dim,
        np.dtype(np.float32),
        lambda: _gallery(vectors, task, lengths),
        lambda chosen: taken(vectors, task.gallery[chosen], lengths),
        vectors.memory,
    )


def gallery_tiles(
    vectors: VectorBlocks, task: RetrievalTask, norms: Float64Array | None, rows: slice
) -> Iterator[Float32Array]:
    """Yield the tiles of a run of the gallery, as ``rank_stored`` ranks them.

    Args:
        vectors: one vector per item.
        task: the task.
        norms: (n,) the norms by which the vectors are divided; None for no division.
        rows: positions in the gallery; the first one is a multiple of ``TILE_ROWS``.
    """
    for start in range(rows.start, rows.stop, TILE_ROWS):
        tile = slice(start, min(start + TILE_ROWS, rows.stop))
        part = divided(vectors, task.gallery[tile], norms)
        if task.zero_scored is not None:
            part *= ~task.zero_scored[tile][:, None]
        yield part


def divided(
    vectors: VectorBlocks, rows: Int64Array, norms: Float64Array | None
) -> Float32Array:
    """Return the vectors of ``rows`` as float32, divided by their norms if these are given."""
    part = taken(vectors, rows, None)
    lengths = divisors(None if norms is None else norms[rows])
    if lengths is not None:
        part /= lengths[:, None]
    return part


def taken(
    vectors: VectorBlocks, rows: Int64Array, lengths: Float32Array | None
) -> Float32Array:
    """Return the vectors of ``rows`` as float32, divided by their ``lengths`` (n,)."""
    out = np.empty((len(rows), vectors.dim), np.float32)
    for start in range(0, len(rows), TILE_ROWS):
        chosen = rows[start : start + TILE_ROWS]
        out[start : start + len(chosen)] = vectors.take(chosen)
    if lengths is not None:
        out /= lengths[rows][:, None]
    return out


def _gallery(
    vectors: VectorBlocks, task: RetrievalTask, lengths: Float32Array | None
) -> Iterator[Float32Array]:
    """Yield the vectors of the gallery in order; those that score 0 are zeros."""
    start = 0
    for block in vectors.read():
        first, last = np.searchsorted(task.gallery, [start, start + len(block)])
        rows = task.gallery[first:last]
        part = _rows_of(block, rows - start).astype(np.float32)
        if lengths is not None:
            part /= lengths[rows][:, None]
        if task.zero_scored is not None:
            part *= ~task.zero_scored[first:last][:, None]
        start += len(block)
        yield part


def _rows_of(block: FloatArray, rows: Int64Array) -> FloatArray:
    return block if len(rows) == len(block) else block[rows]
