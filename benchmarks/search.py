"""Measure the time of one warm query, compared with FAISS IndexFlatIP on the same vectors.

    python benchmarks/search.py [--small]

Our figure covers all of ``dataset.search(vector=...)``: checks, filter, index, and the frame of
hits. The peer is ``IndexFlatIP.search`` of one query; for a filter, with a bitmap made in
advance, and for a filter that keeps 1 of 100 items also NumPy's product of these items, with a
selection of the first. The ways run in turn. A figure is the median over the queries of the
best round. There is a pause between turns, because the threads of the previous turn stay active
for a while. The vectors form clusters of 20, spread about as much as a class.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import faiss as untyped
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from measure import Table, parser

import likewise
from likewise.retrieval.indexes.lance import build_ann
from likewise.storage import tables
from likewise.storage.schema import PUBLISHED, vector

DIM = 512
LARGE_ROWS, LARGE_DIM = 1_000_000, 128
K = 10
ROUNDS = 4
PAUSE_S = 0.3
PARAMS = """\
datasets:
  made: {path: nowhere, annotations: nowhere}
indexes:
  flat: {kind: faiss}
  cells: {kind: faiss, factory: "IVF224,Flat", nprobe: 16, train: 15000}
  graph: {kind: faiss, factory: "HNSW32", ef_search: 64}
  stored: {kind: lance}
"""
RARE = "1 in 100"
FILTERS = {"1 in 2": "label < '1'", "1 in 10": "split = 'test'", "1 in 100": "subset = 's07'"}

faiss: Any = untyped  # its type stubs lack the keyword arguments
Vectors = npt.NDArray[np.float32]
Hits = set[int]


def clustered(rows: int) -> Vectors:
    """Return (rows, DIM) unit vectors around rows / 20 centres."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((rows // 20, DIM))
    found = centres[rng.integers(0, len(centres), rows)]
    found += 0.7 * rng.standard_normal(found.shape)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32)


def catalogue(root: Path, vectors: Vectors) -> likewise.Dataset:
    """Make a catalogue whose published table contains ``vectors`` of the model ``m``."""
    table = publish(root, vectors)
    build_ann(table, "m")
    return likewise.open("made", workspace=root)


def publish(root: Path, vectors: Vectors) -> tables.Table:
    """Write that catalogue, with indices of its labels, splits and subsets."""
    dim = vectors.shape[1]
    (root / "catalog").mkdir()
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    rows = np.arange(len(vectors))
    ids = [f"{row:07d}" for row in rows]
    facts: dict[str, Any] = dict.fromkeys(PUBLISHED.names())
    facts |= {
        "item_id": ids,
        "image_id": ids,
        "content": ids,
        "sha256": ids,
        "label": (rows % 2).astype(str),
        "subset": [f"s{row % 100:02d}" for row in rows],
        "split": np.where(rows % 10 == 0, "test", "train"),
        **dict.fromkeys(("width", "height", "orientation", "nbytes"), 1),
        **dict.fromkeys(("format", "mode"), "x"),
    }
    contract = PUBLISHED.with_columns(vector("m", dim, "float32"))
    frame = pl.DataFrame({name: facts[name] for name in PUBLISHED.names()}, strict=False)
    plain = frame.to_arrow().cast(PUBLISHED.arrow())
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim)
    schema = tables.lance_schema(contract, {"m": {"passport": "{}"}})
    whole = pa.Table.from_arrays([*plain.columns, column], schema=schema)
    path = root / "catalog" / "made.lance"
    tables.write(path, schema, whole.to_batches(max_chunksize=tables.BATCH))
    table = tables.open_table(path, "")
    table.create_scalar_index("label", "BTREE")
    table.create_scalar_index("split", "BITMAP")
    table.create_scalar_index("subset", "BITMAP")
    return table


def medians(
    means: Mapping[str, Callable[[Vectors], Hits]], queries: Vectors, rounds: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the milliseconds per query of each way, and its recall relative to the first."""
    took: dict[str, list[float]] = {name: [] for name in means}
    found: dict[str, list[Hits]] = {}
    for _ in range(rounds):
        for name, one in means.items():
            one(queries[0])
            time.sleep(PAUSE_S if rounds > 1 else 0)
            found[name] = []
            seconds = []
            for query in queries:
                began = time.perf_counter()
                found[name].append(one(query))
                seconds.append(time.perf_counter() - began)
            took[name].append(1000 * median(seconds))
    truth = found[next(iter(means))]
    recall = {
        name: float(np.mean([len(a & b) / K for a, b in zip(truth, hits, strict=True)]))
        for name, hits in found.items()
    }
    return {name: min(values) for name, values in took.items()}, recall


def product(gallery: Vectors, kept: npt.NDArray[np.intp]) -> Callable[[Vectors], Hits]:
    """Return the search of the rows ``kept`` by one product of their vectors."""
    vectors = np.ascontiguousarray(gallery[kept])

    def ask(query: Vectors) -> Hits:
        scores = vectors @ query
        first = np.argpartition(scores, len(scores) - K)[len(scores) - K :]
        return set(kept[first[np.argsort(-scores[first])]].tolist())

    return ask


def rare(table: Table, gallery: Vectors, queries: Vectors, rounds: int, ask: Any) -> None:
    """Add the row of a filter that keeps 1 of 100 items, and its time beyond the product."""
    kept = np.flatnonzero(np.arange(len(gallery)) % 100 == 7)
    took, recall = medians(
        {"product": product(gallery, kept), "exact": ask}, queries, max(rounds, 2)
    )
    what = f"exact, where {RARE} of {len(gallery):,} x {gallery.shape[1]}; peer: the product"
    table.at_most(
        f"{what} (recall {recall['exact']:.3f})", took["exact"], took["product"], 2, "ms"
    )
    beyond = took["exact"] - took["product"]
    table.note("... beyond the product", f"{1000 * beyond:.0f} us")


def measure(
    table: Table, dataset: likewise.Dataset, gallery: Vectors, queries: Vectors, rounds: int
) -> None:
    """Add the rows: first without a filter, then with each filter."""
    flat = faiss.IndexFlatIP(DIM)
    flat.add(gallery)

    def ours(index: str, where: str | None) -> Callable[[Vectors], Hits]:
        def ask(query: Vectors) -> Hits:
            hits = dataset.search(vector=query, k=K, index=index, where=where)
            return set(hits["item_id"].cast(pl.Int64).to_list())

        return ask

    def bare(params: Any) -> Callable[[Vectors], Hits]:
        return lambda query: set(flat.search(query[None, :], K, params=params)[1][0].tolist())

    rows = np.arange(len(gallery))
    masks = {"1 in 2": rows % 2 == 0, "1 in 10": rows % 10 == 0, "1 in 100": rows % 100 == 7}
    for name, where in {"": None, **FILTERS}.items():
        params, most = None, None if name else 1.2
        if name:
            bits = np.packbits(masks[name], bitorder="little")
            params = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        indexes = ("exact", "flat", "cells", "graph", "stored")
        took, recall = medians(
            {"faiss": bare(params), **{index: ours(index, where) for index in indexes}},
            queries,
            rounds,
        )
        for index in indexes:
            what = f"{index}{', where ' + name if name else ''} (recall {recall[index]:.3f})"
            target = most if index in ("exact", "flat") else None
            table.at_most(what, took[index], took["faiss"], target, "ms")
    rare(table, gallery, queries, rounds, ours("exact", FILTERS[RARE]))


def large(table: Table, rows: int, rounds: int) -> None:
    """Add the row of the rare filter over many items."""
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((rows, LARGE_DIM), np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as root:
        publish(Path(root), gallery)
        dataset = likewise.open("made", workspace=root)

        def ask(query: Vectors) -> Hits:
            hits = dataset.search(vector=query, k=K, where=FILTERS[RARE])
            return set(hits["item_id"].cast(pl.Int64).to_list())

        rare(table, gallery, gallery[:: rows // 20][:20], rounds, ask)


def main() -> None:
    """Measure every kind of index without a filter and with three filters."""
    small = parser(__doc__).parse_args().small
    rows, asked = (12_000, 10) if small else (50_000, 60)
    gallery = clustered(rows)
    queries = gallery[:: rows // asked][:asked]
    title = f"Search, one warm query, {rows:,} x {DIM}, k = {K}; peer: IndexFlatIP"
    table = Table(title, small=small)
    with tempfile.TemporaryDirectory() as root:
        measure(table, catalogue(Path(root), gallery), gallery, queries, 1 if small else ROUNDS)
    large(table, 20_000 if small else LARGE_ROWS, 1 if small else ROUNDS)
    table.print()


if __name__ == "__main__":
    main()
