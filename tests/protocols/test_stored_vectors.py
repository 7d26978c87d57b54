"""Vectors that are read in blocks are scored like an array of them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.formats.array_types import FloatArray
from likewise.formats.vector_blocks import VectorBlocks

ROWS = 240


def signs(dtype: type = np.float32) -> FloatArray:
    """Return vectors of four signs: all norms are 2, and all products are exact."""
    rng = np.random.default_rng(0)
    vectors: FloatArray = rng.choice([-1, 1], (ROWS, 4)).astype(dtype)
    return vectors


def items() -> pl.DataFrame:
    rows = np.arange(ROWS)
    other = np.roll(rows, -7)
    pairs = [[f"easy {int(a % 5 == b % 5)} {b:03d}"] for a, b in zip(rows, other, strict=True)]
    return pl.DataFrame(
        {
            "item_id": [f"{row:03d}" for row in rows],
            "label": [None if row % 13 == 0 else f"class {row % 5}" for row in rows],
            "subset": [f"s{row % 2}" for row in rows],
            "split": np.where(rows % 3 == 0, "test", "train"),
            "role": np.where(rows % 4 == 0, "query", "gallery"),
            "camera": [str(row % 7) for row in rows],
            "pairs": [
                pair if row % 2 else ["easy 1 " + pair[0][7:]] for row, pair in enumerate(pairs)
            ],
        }
    )


def blocks(vectors: FloatArray, size: int = 37, memory: int = 1 << 30) -> VectorBlocks:
    def read() -> Iterator[FloatArray]:
        for start in range(0, len(vectors), size):
            yield vectors[start : start + size]

    return replace(VectorBlocks.from_array(vectors, memory), read=read)


@pytest.mark.parametrize(
    "kind",
    [
        "gpr1200",
        "gpr1200-strict",
        "sbir-acc",
        "reidentification",
        "uned-separate",
        "knn",
        "verification-easy",
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_blocks_have_the_report_of_an_array(kind: str, dtype: type) -> None:
    protocol, vectors, rows = PROTOCOLS.build({"kind": kind}, "here"), signs(dtype), items()
    assert protocol.reads_blocks
    expected: Evaluation = protocol.evaluate_vectors(vectors, rows)
    for memory in (1, 1 << 30):  # few queries at a time, or all
        found = protocol.evaluate_vectors(blocks(vectors, memory=memory), rows)
        assert found.metrics == expected.metrics
        assert found.unrounded == expected.unrounded
        assert found.notes == expected.notes
        assert found.queries.equals(expected.queries)


def test_a_vector_of_a_block_that_is_not_finite_is_refused() -> None:
    vectors = signs()
    vectors[200, 1] = np.nan
    protocol = PROTOCOLS.build({"kind": "gpr1200"}, "here")
    with pytest.raises(DataError, match=r"in 1 row: row 200 \(200\)"):
        protocol.evaluate_vectors(blocks(vectors), items())


@pytest.mark.parametrize("size", [1, 5, 37, 240, 1000])
def test_blocks_of_one_size_are_made_of_blocks_of_another(size: int) -> None:
    vectors = signs(np.float16)
    parts = [part.copy() for part in blocks(vectors).blocks(size)]
    assert {len(part) for part in parts[:-1]} <= {size}
    assert (np.concatenate(parts) == vectors).all()
    assert (blocks(vectors).whole() == vectors).all()
