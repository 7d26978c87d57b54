"""Indexes of other libraries, built as their documentation recommends, for single queries."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Ask = Callable[[Floats], Rows]

K = 10


@dataclass(frozen=True)
class Made:
    """An index of another library: its search function, build time in seconds, bytes."""

    ask: Ask
    build_s: float
    nbytes: int


def hnswlib_index(gallery: Floats, folder: Path) -> Made:
    """Build a graph with hnswlib."""
    import hnswlib

    began = time.perf_counter()
    index = hnswlib.Index(space="ip", dim=gallery.shape[1])
    index.init_index(max_elements=len(gallery), M=32, ef_construction=200, random_seed=0)
    index.add_items(gallery)
    index.set_ef(64)
    took = time.perf_counter() - began
    index.save_index(str(folder / "index"))
    held = (folder / "index").stat().st_size
    return Made(lambda query: index.knn_query(query, k=K)[0][0].astype(np.int64), took, held)


def usearch_index(gallery: Floats, folder: Path) -> Made:
    """Build a graph with usearch."""
    from usearch.index import Index

    began = time.perf_counter()
    index = Index(ndim=gallery.shape[1], metric="ip", connectivity=32, expansion_search=64)
    index.add(np.arange(len(gallery)), gallery)
    took = time.perf_counter() - began
    index.save(str(folder / "index"))
    held = (folder / "index").stat().st_size
    return Made(lambda query: index.search(query, K).keys.astype(np.int64), took, held)


def lancedb_index(kind: str, gallery: Floats, folder: Path) -> Made:
    """Build an index with LanceDB, with as many partitions as ours."""
    import lancedb

    column = pa.FixedSizeListArray.from_arrays(pa.array(gallery.ravel()), gallery.shape[1])
    rows = pa.table({"row": np.arange(len(gallery)), "vector": column})
    table: Any = lancedb.connect(folder).create_table("t", rows)
    began = time.perf_counter()
    cells = max(1, int(np.sqrt(len(gallery))))
    table.create_index(metric="cosine", index_type=kind, num_partitions=cells)
    took = time.perf_counter() - began
    files = (path for path in (folder / "t.lance" / "_indices").rglob("*") if path.is_file())

    def ask(query: Floats) -> Rows:
        asked = table.search(query).metric("cosine").nprobes(20).refine_factor(4).limit(K)
        return np.array(asked.select(["row"]).to_arrow()["row"].to_pylist(), np.int64)

    return Made(ask, took, sum(path.stat().st_size for path in files))
