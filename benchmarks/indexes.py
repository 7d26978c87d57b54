"""Measure indexes, compared with FAISS, LanceDB, hnswlib and usearch.

    python benchmarks/indexes.py [--small]

There are three tables. The first compares batches of queries through
``likewise.retrieval.indexes`` with direct calls of FAISS. Both use the same index file, so
recall is equal; exact search is compared with ``IndexFlatIP``. The second table compares LOPQ
with PQ of FAISS at 32 bytes per vector. The third table runs single queries with every library,
on SIFT descriptors (if available) and on clustered vectors. It shows recall@10, queries per
second, build time and bytes, which are also plotted in ``.work/indexes-*.svg``.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import faiss as untyped
import numpy as np
import numpy.typing as npt
from data import SHARED, WORK
from measure import Table, medians, parser
from peers import Made, hnswlib_index, lancedb_index, usearch_index

from likewise.errors import size_text
from likewise.formats.vector_blocks import VectorBlocks
from likewise.pages.tradeoff_plot import IndexPoint, tradeoff_plot
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import BuiltIndex, Vectors
from likewise.retrieval.indexes.lopq_codec import EncodedVectors

faiss: Any = untyped  # its type stubs lack the keyword arguments
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

K = 10
DIRECT = (
    ("HNSW32", {"ef_search": 64}, 1.1),
    ("IVF316,PQ32", {"nprobe": 16}, 1.1),
    ("IVF316,RaBitQ4", {"nprobe": 16}, 1.1),
)
TRIED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("exact", {"kind": "exact"}),
    ("HNSW32", {"kind": "faiss", "factory": "HNSW32", "ef_search": 64}),
    ("IVF,Flat", {"kind": "faiss", "factory": "IVF{cells},Flat", "nprobe": 8}),
    ("IVF,RaBitQ4", {"kind": "faiss", "factory": "IVF{cells},RaBitQ4", "nprobe": 8}),
    ("LOPQ32", {"kind": "lopq", "m": 32, "nprobe": 16}),
)


@dataclass(frozen=True)
class Size:
    """Sizes of a measurement: rows, dimensions, queries, rounds."""

    rows: int
    wide: int
    dim: int
    asked: int
    cells: int
    rounds: int


FULL = Size(100_000, 512, 128, 1000, 316, 5)
SMALL = Size(1500, 64, 64, 20, 16, 1)


def clustered(rows: int, dim: int, seed: int = 0) -> Floats:
    """Return (rows, dim) unit vectors around rows / 20 centres, spread like a class."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((rows // 20, dim))
    found = centres[rng.integers(0, len(centres), rows)]
    found += 0.7 * rng.standard_normal(found.shape)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32)


def near(gallery: Floats, count: int) -> Floats:
    """Return queries near some of the vectors, but not equal to them."""
    rng = np.random.default_rng(1)
    found = gallery[:: max(1, len(gallery) // count)][:count]
    found = found + 0.3 * rng.standard_normal(found.shape) / np.sqrt(found.shape[1])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return np.ascontiguousarray(found, np.float32)


def texmex(path: Path) -> Floats:
    """Return the normalised vectors of an .fvecs file: each is an int32 length and floats."""
    words = np.fromfile(path, "<i4")
    found = words.reshape(-1, words[0] + 1)[:, 1:].view("<f4")
    return np.ascontiguousarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def seconds(ask: Callable[[], object]) -> float:
    """Return the seconds that the call takes."""
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def recall(found: Rows, truth: Rows) -> float:
    """Return the mean share of true neighbours that were retrieved."""
    pairs = zip(found.tolist(), truth.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


def ours(entry: dict[str, Any], gallery: Floats, cache: Path | None = None) -> BuiltIndex:
    """Build our index over ``gallery``."""
    return INDEXES.build(entry, "benchmark").build(Vectors.from_array(gallery), cache)


def directly(at: Size, *, small: bool) -> None:
    """Compare batches of queries, through Likewise and through FAISS."""
    table = Table(f"{at.asked:,} queries at once; peer: FAISS called directly", small=small)
    gallery = clustered(at.rows, at.wide)
    queries = near(gallery, at.asked)
    flat = faiss.IndexFlatIP(at.wide)
    flat.add(gallery)
    exact = ours({"kind": "exact"}, gallery)
    took = medians(
        {
            "ours": lambda: seconds(lambda: exact.search(queries, 100)),
            "peer": lambda: seconds(lambda: flat.search(queries, 100)),
        },
        at.rounds,
    )
    what = f"exact top-100 in {at.rows:,} x {at.wide}"
    table.at_most(what, took["ours"], took["peer"], 1.2)
    gallery = clustered(at.rows, at.dim)
    queries = near(gallery, at.asked)
    truth = ours({"kind": "exact"}, gallery).search(queries, K)[1]
    for factory, asked, most in DIRECT:
        named = factory.replace("316", str(at.cells))
        if small:  # without polysemous training, which takes a minute on any data
            named = named.replace("PQ32", "PQ32np")
        with tempfile.TemporaryDirectory() as folder:
            one_index(table, named, asked, most, (gallery, queries, truth), Path(folder), at)
    table.print()


def one_index(  # noqa: PLR0913, PLR0917 (a row of the table, and what it is measured on)
    table: Table,
    factory: str,
    asked: dict[str, Any],
    most: float,
    data: tuple[Floats, Floats, Rows],
    folder: Path,
    at: Size,
) -> None:
    """Add a row: the same index file searched through Likewise and through FAISS."""
    gallery, queries, truth = data
    cache = folder / "index"
    built = ours({"kind": "faiss", "factory": factory, **asked}, gallery, cache)
    peer = faiss.read_index(str(cache))
    names = {"ef_search": "efSearch"}
    for name, value in asked.items():
        faiss.ParameterSpace().set_index_parameter(peer, names.get(name, name), value)
    took = medians(
        {
            "ours": lambda: seconds(lambda: built.search(queries, K)),
            "peer": lambda: seconds(lambda: peer.search(queries, K)),
        },
        at.rounds,
    )
    found = [
        recall(rows, truth)
        for rows in (built.search(queries, K)[1], peer.search(queries, K)[1])
    ]
    what = f"{factory}, recall@{K} {found[0]:.3f}"
    table.at_most(what, took["ours"], took["peer"], most)
    table.holds(
        f"{factory}: recall",
        f"{found[0]:.4f}",
        f"{found[1]:.4f}",
        met=found[0] >= found[1] - 1e-3,
    )


def codes(at: Size, *, small: bool) -> None:
    """Compare LOPQ with PQ, OPQ and RaBitQ at the same number of bytes."""
    table = Table(f"Codes of 32 bytes, {at.rows:,} x {at.dim}", small=small)
    gallery = clustered(at.rows, at.dim)
    queries = near(gallery, at.asked)
    truth = ours({"kind": "exact"}, gallery).search(queries, K)[1]
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "lopq"
        lopq = ours({"kind": "lopq", "m": 32}, gallery, cache)
        coded = EncodedVectors.read(cache, at.rows)
    own = recall(lopq.search(queries, K)[1], truth)
    plain = 0.0
    # np: without polysemous training, which takes minutes and does not change distances.
    peers = ("PQ32np", "RaBitQ2") if small else ("PQ32np", "OPQ32,PQ32np", "RaBitQ2")
    for factory in peers:
        metric = "dot" if factory == "RaBitQ2" else "l2"  # the better one of each
        index = ours({"kind": "faiss", "factory": factory, "metric": metric}, gallery)
        found = recall(index.search(queries, K)[1], truth)
        plain = found if factory == "PQ32np" else plain
        table.note(f"recall@{K}: LOPQ32; peer: {factory}", f"{own:.4f}", f"{found:.4f}")
    if coded is None:
        raise SystemExit("the LOPQ index was not kept")
    took = seconds(lambda: EncodedVectors.encode(VectorBlocks.from_array(gallery), coded.parts))
    speed = at.rows / took
    table.below("LOPQ32: encode, seconds for 20,000 vectors", 20_000 / speed, 1.0, peer=1.0)
    if not small:
        table.holds("LOPQ32: recall", f"{own:.4f}", f">= PQ32's {plain:.4f}", met=own >= plain)
    table.print()


def likewise_index(entry: dict[str, Any], gallery: Floats, folder: Path) -> Made:
    """Build one of our indexes."""
    cache = folder / "index"
    began = time.perf_counter()
    built = ours(entry, gallery, cache)
    took = time.perf_counter() - began
    held = cache.stat().st_size if cache.is_file() else gallery.nbytes
    return Made(lambda query: built.search(query[None, :], K)[1][0], took, held)


def makers(cells: int) -> Iterator[tuple[str, bool, Callable[[Floats, Path], Made]]]:
    """Return the indexes of the third table: name, True if ours, function to build it."""
    for name, entry in TRIED:
        filled = {
            k: v.format(cells=cells) if isinstance(v, str) else v for k, v in entry.items()
        }
        yield (
            f"Likewise {name}",
            True,
            lambda gallery, folder, filled=filled: likewise_index(filled, gallery, folder),
        )
    for library, maker in (("hnswlib", hnswlib_index), ("usearch", usearch_index)):
        if find_spec(library) is not None:  # of the extra "bench"; hnswlib wants a compiler
            yield f"{library} M32 ef64", False, maker
    for kind in ("IVF_PQ", "IVF_HNSW_SQ"):
        yield (
            f"LanceDB {kind}",
            False,
            lambda gallery, folder, kind=kind: lancedb_index(kind, gallery, folder),
        )


def side_by_side(
    name: str, gallery: Floats, queries: Floats, cells: int, *, small: bool
) -> None:
    """Measure single queries with every library."""
    title = f"One query at a time, {name}, {len(gallery):,} x {gallery.shape[1]}, k = {K}"
    table = Table(title, small=small)
    truth = ours({"kind": "exact"}, gallery).search(queries, K)[1]
    points, fastest = [], {True: 0.0, False: 0.0}
    for what, own, make in makers(cells):
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(ImportError):
            made = make(gallery, Path(folder))
            made.ask(queries[0])
            found: list[Rows] = []
            took = seconds(lambda: found.extend(made.ask(query) for query in queries))  # noqa: B023
            hit, speed = recall(np.stack(found), truth), len(queries) / took
            points.append(IndexPoint(what, hit, speed, made.nbytes))
            fastest[own] = max(fastest[own], speed if hit >= 0.95 else 0)
            told = f"recall {hit:.4f}, {speed:,.0f}/s"
            cost = f"{made.build_s:.1f} s, {size_text(made.nbytes)}"
            table.note(f"{what}: {cost}", told if own else "", "" if own else told)
    if all(fastest.values()):
        table.at_most(
            "the fastest of recall 0.95, a query",
            1000 / fastest[True],
            1000 / fastest[False],
            None,
            "ms",
        )
    table.print()
    WORK.mkdir(exist_ok=True)
    picture = WORK / f"indexes-{name.split(maxsplit=1)[0]}.svg"
    picture.write_text(tradeoff_plot(title, points, 0.95), encoding="utf-8")


def main() -> None:
    """Print the three tables."""
    small = parser(__doc__).parse_args().small
    at = SMALL if small else FULL
    directly(at, small=small)
    codes(at, small=small)
    sift = SHARED / "vectors_sift5k"
    if sift.is_dir():
        unit = [texmex(sift / f"{name}.fvecs") for name in ("base", "query")]
        rows = slice(0, 40 if small else None)
        side_by_side("sift descriptors", unit[0], unit[1][rows], 64, small=small)
    gallery = clustered(at.rows, at.dim)
    side_by_side("clustered vectors", gallery, near(gallery, at.asked), at.cells, small=small)


if __name__ == "__main__":
    main()
