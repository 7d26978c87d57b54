"""Measure re-rankers: time per query and memory, compared with the plain search.

    python benchmarks/rerank.py [--small] [--rows N] [--queries N] [--kind NAME]
        [--results FILE]

Each kind runs in a process of its own, with its default options, over clustered vectors of 256
dimensions in half precision. The peer is the plain search of the same queries by the same index
in the same process. "First" searches the neighbours of the hits; "again" are the same queries
when these neighbours are kept, as in an evaluation whose queries share them. The memory is what
the process needs beyond the plain search. The processor time of all threads depends less on
other programs of the machine than the time does. Every item of ``local`` has a random picture
of 192 x 192 pixels, made when it is read.

--kind, which may be repeated, selects some kinds. --results keeps the figures in a file; those
of the same kind, rows and queries are not measured again, so a stopped run continues.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from measure import Table, parser, run
from PIL import Image

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.applied import AppliedReranker
from likewise.retrieval.reranking.local_features import GalleryPictures
from likewise.retrieval.reranking.searched_gallery import Gallery

DIM, QUERIES, FEW_QUERIES, DEPTH = 256, 32, 4, 100
MEMORY = 2 << 30
"""Bytes that vectors, neighbours and features may use."""
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


def pictures(rows: Sequence[int]) -> list[Image.Image]:
    """Return random pictures of blobs, which have several hundred local features."""
    made = []
    for row in rows:
        pixels = np.random.default_rng(row).integers(0, 255, (24, 24), np.uint8)
        made.append(Image.fromarray(pixels).resize((192, 192), Image.Resampling.BICUBIC))
    return made


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the time of a call, and the processor time of all threads."""
    began = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def peak_mb() -> float:
    """Return the peak memory of this process."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure_kind(kind: str, rows: int, number: int) -> dict[str, float]:
    """Return the figures of a kind, per query in seconds, and the peak memory in MB."""
    vectors = clustered(rows)
    index = INDEXES.build(index_entry(rows), "benchmark").build(Vectors.from_array(vectors))
    chosen = np.random.default_rng(1).choice(rows, min(number, rows), replace=False)
    queries = vectors[chosen].astype(np.float32)
    batch = QueryBatch(queries, chosen[:, None], chosen)
    index.search(queries, DEPTH)
    plain = min(seconds(lambda: index.search(queries, DEPTH)) for _ in range(3))
    before = peak_mb()
    images = GalleryPictures(pictures, None, MEMORY)
    reranker = AppliedReranker(
        RERANKERS.build({"kind": kind}, "benchmark"),
        Gallery(VectorBlocks.from_array(vectors), index, pictures=images),
    )
    first = seconds(lambda: reranker.search(batch, DEPTH))
    again = min(seconds(lambda: reranker.search(batch, DEPTH)) for _ in range(2))
    count = len(queries)
    return {
        "plain": plain[0] / count,
        "first": first[0] / count,
        "again": again[0] / count,
        "plain_cpu": plain[1] / count,
        "first_cpu": first[1] / count,
        "again_cpu": again[1] / count,
        "added_mb": peak_mb() - before,
        "plain_mb": before,
    }


def figures_of(kind: str, rows: int, number: int, results: Path | None) -> dict[str, float]:
    """Return the figures of a kind: those in the file ``results``, or measured and kept."""
    key = [kind, rows, number]
    if results is not None and results.is_file():
        for line in results.read_text(encoding="utf-8").splitlines():
            kept = json.loads(line)
            if kept["of"] == key:
                return dict(kept["figures"])
    words = ("--measure", kind, "--rows", rows, "--queries", number)
    done = run(sys.executable, __file__, *words)
    figures: dict[str, float] = json.loads(done.output.splitlines()[-1])
    if results is not None:
        with results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"of": key, "figures": figures}) + "\n")
    return figures


def add_kind(table: Table, kind: str, figures: dict[str, float]) -> None:
    """Add the rows of a kind."""
    plain = 1000 * figures["plain"]
    table.at_most(f"{kind}: a query, first", 1000 * figures["first"], plain, None, "ms")
    table.at_most(f"{kind}: a query, again", 1000 * figures["again"], plain, None, "ms")
    cpu = f"{1000 * figures['first_cpu']:,.1f}; {1000 * figures['again_cpu']:,.1f} ms"
    peer = f"{1000 * figures['plain_cpu']:,.1f} ms"
    table.note(f"{kind}: processor time of a query, first; again", cpu, peer)
    added, before = f"{figures['added_mb']:,.0f} MB more", f"{figures['plain_mb']:,.0f} MB"
    table.note(f"{kind}: memory", added, before)


def main() -> None:
    """Print the table."""
    made: argparse.ArgumentParser = parser(__doc__)
    made.add_argument("--rows", type=int, help="number of rows; by default 50,000")
    made.add_argument("--queries", type=int, help="number of queries; by default 32")
    made.add_argument(
        "--kind", action="append", choices=RERANKERS.builtin(), help="this one; repeatable"
    )
    made.add_argument("--results", type=Path, help="keep what is measured there")
    made.add_argument("--measure", help=argparse.SUPPRESS)
    chosen = made.parse_args()
    rows = chosen.rows or (FEW_ROWS if chosen.small else ROWS)
    number = chosen.queries or (FEW_QUERIES if chosen.small else QUERIES)
    if chosen.measure:
        print(json.dumps(measure_kind(chosen.measure, rows, number)))
        return
    name = index_entry(rows).get("factory", "exact search")
    table = Table(f"re-ranking of {rows:,} x {DIM} vectors, {name}", small=chosen.small)
    for kind in chosen.kind or RERANKERS.builtin():
        add_kind(table, kind, figures_of(kind, rows, number, chosen.results))
    table.print()


if __name__ == "__main__":
    main()
