"""Galleries of generated vectors, and the order by sorting all scores."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import BuiltIndex, Vectors
from likewise.storage.schema import STORAGE_VERSION
from likewise.storage.tables import open_table

Floats = npt.NDArray[np.floating[Any]]
DIM = 32


def normalised(array: Floats) -> npt.NDArray[np.float32]:
    lengths: Floats = np.linalg.norm(array, axis=1, keepdims=True)
    return np.asarray(array / lengths, np.float32)


def unit(rows: int, dim: int = DIM, seed: int = 0) -> npt.NDArray[np.float32]:
    array = np.random.default_rng(seed).standard_normal((rows, dim))
    return normalised(array)


def clustered(rows: int, dim: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((rows // 20, dim))
    array = centres[rng.integers(0, len(centres), rows)] + 0.7 * rng.standard_normal(
        (rows, dim)
    )
    return normalised(array)


def stored(folder: Path, array: Floats, rows_per_file: int = 1 << 20) -> Vectors:
    values = pa.array(array.ravel())
    column = pa.FixedSizeListArray.from_arrays(values, array.shape[1])
    table = pa.table({"item_id": [f"{i:05}" for i in range(len(array))], "m": column})
    lance.write_dataset(
        table,
        folder / "t.lance",
        data_storage_version=STORAGE_VERSION,
        max_rows_per_file=rows_per_file,
    )
    return Vectors.from_column(open_table(folder / "t.lance"), "m")


def unreadable(array: Floats) -> Vectors:
    """Return vectors that may be taken, but whose blocks must not be read."""

    def read() -> Iterator[Floats]:
        pytest.fail("read again")

    return Vectors(replace(VectorBlocks.from_array(array), read=read))


def build(entry: dict[str, Any], vectors: Vectors, cache: Path | None = None) -> BuiltIndex:
    return INDEXES.build(entry, "here").build(vectors, cache)


def truth(
    queries: Floats, gallery: Floats, k: int, allowed: npt.NDArray[np.bool_]
) -> list[list[int]]:
    """Compute the expected hits: sort all scores."""
    scores = queries.astype(np.float64) @ gallery.T.astype(np.float64)
    return [
        [int(row) for row in np.argsort(-line, kind="stable") if allowed[row]][:k]
        for line in scores
    ]
