"""Measure re-rankers: time per query and memory, compared with the plain search.

    python benchmarks/rerank.py [--small] [--rows N]

Each kind runs in a process of its own, with its default options, over clustered vectors of 256
dimensions in half precision. The peer is the plain search of the same queries by the same index
in the same process. "First" searches the neighbours of the hits; "again" are the same queries
when these neighbours are kept, as in an evaluation whose queries share them. The memory is what
the process needs beyond the plain search.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from measure import Table, parser, run

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.applied import AppliedReranker
from likewise.retrieval.reranking.searched_gallery import Gallery

DIM, QUERIES, DEPTH = 256, 32, 100
CLASS = 20
"""Number of vectors of a class."""
ROWS, FEW_ROWS = 50_000, 2_000
EXACT_ROWS = 200_000
"""Up to this number of rows, the index is exact; above it, inverted lists."""

Half = npt.NDArray[np.float16]


def clustered(rows: int, seed: int = 0) -> Half:
    """Return (rows, DIM) vectors of length 1, about 20 of a class."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(rows // CLASS, 1), DIM), np.float32)
    out = np.empty((rows, DIM), np.float16)
    for start in range(0, rows, 8192):
        part = out[start : start + 8192]
        vectors = centres[rng.integers(0, len(centres), len(part))]
        vectors += 0.7 * rng.standard_normal(vectors.shape, np.float32)
        part[:] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return out


def index_entry(rows: int) -> dict[str, Any]:
    """Return the index of a size."""
    if rows <= EXACT_ROWS:
        return {"kind": "exact"}
    cells = int(rows**0.5)
    return {"kind": "faiss", "factory": f"IVF{cells},Flat", "nprobe": 8, "train": 40 * cells}


def seconds(call: Callable[[], object]) -> float:
    """Return the time of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak_mb() -> float:
    """Return the peak memory of this process."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure_kind(kind: str, rows: int) -> dict[str, float]:
    """Return the figures of a kind, per query in seconds, and the peak memory in MB."""
    vectors = clustered(rows)
    index = INDEXES.build(index_entry(rows), "benchmark").build(Vectors.from_array(vectors))
    chosen = np.random.default_rng(1).choice(rows, min(QUERIES, rows), replace=False)
    queries = vectors[chosen].astype(np.float32)
    batch = QueryBatch(queries, chosen[:, None], chosen)
    index.search(queries, DEPTH)
    plain = min(seconds(lambda: index.search(queries, DEPTH)) for _ in range(3))
    before = peak_mb()
    reranker = AppliedReranker(
        RERANKERS.build({"kind": kind}, "benchmark"),
        Gallery(VectorBlocks.from_array(vectors), index),
    )
    first = seconds(lambda: reranker.search(batch, DEPTH))
    again = min(seconds(lambda: reranker.search(batch, DEPTH)) for _ in range(2))
    count = len(queries)
    return {
        "plain": plain / count,
        "first": first / count,
        "again": again / count,
        "added_mb": peak_mb() - before,
        "plain_mb": before,
    }


def add_kind(table: Table, kind: str, figures: dict[str, float]) -> None:
    """Add the rows of a kind."""
    plain = 1000 * figures["plain"]
    table.at_most(f"{kind}: a query, first", 1000 * figures["first"], plain, None, "ms")
    table.at_most(f"{kind}: a query, again", 1000 * figures["again"], plain, None, "ms")
    added, before = f"{figures['added_mb']:,.0f} MB more", f"{figures['plain_mb']:,.0f} MB"
    table.note(f"{kind}: memory", added, before)


def main() -> None:
    """Print the table."""
    made: argparse.ArgumentParser = parser(__doc__)
    made.add_argument("--rows", type=int, help="number of rows; by default 50,000")
    made.add_argument("--kind", help=argparse.SUPPRESS)
    chosen = made.parse_args()
    rows = chosen.rows or (FEW_ROWS if chosen.small else ROWS)
    if chosen.kind:
        print(json.dumps(measure_kind(chosen.kind, rows)))
        return
    name = index_entry(rows).get("factory", "exact search")
    table = Table(f"re-ranking of {rows:,} x {DIM} vectors, {name}", small=chosen.small)
    for kind in RERANKERS.builtin():
        if kind != "local":  # it reads images
            done = run(sys.executable, __file__, "--kind", kind, "--rows", rows)
            add_kind(table, kind, json.loads(done.output.splitlines()[-1]))
    table.print()


if __name__ == "__main__":
    main()
