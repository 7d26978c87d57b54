"""Measure the time to score GPR1200, compared with its lower bound and the original script.

    python benchmarks/score.py [--small]

Ranking and average precision are compared with the product of the same blocks of vectors by the
same threads, which every exact ranking needs. The two run in turn. ``likewise score`` runs as a
new process. So does its peer, which works as the benchmark's own script: the whole product, a
full sort of every row, and a loop over the queries. Both must print the same mAP.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from measure import LIKEWISE, Cost, Table, medians, parser, run, show

from likewise.evaluation.metrics import average_precision
from likewise.evaluation.protocols.retrieval import TOP
from likewise.evaluation.ranking import Groups, blocks, rank_vectors
from likewise.formats.array_types import Float32Array, Int64Array

PER_CATEGORY = 10
LARGE_DIMENSIONS = 128
ROUNDS = 5
AS_SCRIPT = "--as-script"
# Another order of additions may swap images whose scores are almost equal.
CLOSE = 1e-4


def vectors_of(categories: int, dimensions: int = 512) -> Float32Array:
    """Return unit vectors in clusters, separated as by a good backbone on GPR1200."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((categories, dimensions), np.float32)
    vectors = np.repeat(centres, PER_CATEGORY, axis=0)
    vectors += np.float32(2.6) * rng.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def as_the_script(path: Path) -> None:
    """Score ``path`` with whole matrices and full sorts, and print the mAP."""
    import torch

    database = torch.from_numpy(np.load(path))
    scores = database @ database.T
    order = torch.argsort(scores, dim=1, descending=True).numpy()
    labels = np.arange(len(database)) // PER_CATEGORY
    found = []
    for label, ranking in zip(labels, order, strict=True):
        places = np.flatnonzero(labels[ranking] == label) + 1
        found.append(float(np.mean(np.arange(1, len(places) + 1) / places)))
    print(json.dumps({"metrics": {"all": round(float(np.mean(found)), 4)}}))


def ranking(vectors: Float32Array, rounds: int) -> tuple[float, float]:
    """Return the seconds of ranking and average precisions, and of the product alone."""
    labels: Int64Array = np.arange(len(vectors)) // PER_CATEGORY
    parts = list(blocks(len(vectors), len(vectors) * 4))
    buffer = np.empty((parts[0].stop, len(vectors)), np.float32)

    def ranked() -> float:
        began = time.perf_counter()
        result = rank_vectors(vectors, vectors, Groups.alike(labels, labels), top=TOP)
        average_precision(result.ranked, "hits")
        return time.perf_counter() - began

    def product() -> float:
        began = time.perf_counter()
        for rows in parts:
            part = vectors[rows]
            np.matmul(part, vectors.T, out=buffer[: len(part)])
        return time.perf_counter() - began

    ranked(), product()  # the first call compiles, loads libraries and starts threads
    seconds = medians({"ranking and AP": ranked, "bare product": product}, rounds)
    return seconds["ranking and AP"], seconds["bare product"]


def commands(
    folder: Path, vectors: Float32Array, rounds: int, *, named: bool
) -> tuple[Cost, Cost, Cost]:
    """Return the cost of our command before compilation and after, and of the script."""
    path = folder / "embeddings.npy"
    np.save(path, vectors)
    ours = [LIKEWISE, "score", "gpr1200", "--json", "--embeddings", path]
    if named:  # Without file names, only the complete GPR1200 is recognised.
        ours += ["--images", _images(folder, len(vectors))]
    theirs = [sys.executable, __file__, AS_SCRIPT, path]
    cache = {"NUMBA_CACHE_DIR": str(folder / "compiled")}
    first = run(*ours, env=cache)
    turns = [(run(*ours, env=cache), run(*theirs)) for _ in range(rounds)]
    again, peer = (
        sorted(costs, key=lambda cost: cost.seconds)[rounds // 2]
        for costs in zip(*turns, strict=True)
    )
    values = [json.loads(cost.output)["metrics"]["all"] for cost in (again, peer)]
    if abs(values[0] - values[1]) > CLOSE:
        raise SystemExit(f"the two ways differ: mAP {values[0]} and {values[1]}")
    return first, again, peer


def large(folder: Path, gallery: int, queries: int) -> Cost:
    """Measure the command that scores some queries against a large gallery."""
    rng = np.random.default_rng(0)
    count, classes = gallery + queries, gallery // PER_CATEGORY
    path = folder / "large.npy"
    vectors = np.lib.format.open_memmap(path, "w+", np.float32, (count, LARGE_DIMENSIONS))
    for at in range(0, count, 1 << 16):
        part = rng.standard_normal((min(1 << 16, count - at), LARGE_DIMENSIONS), np.float32)
        vectors[at : at + len(part)] = part
    vectors.flush()
    del vectors
    labels = np.arange(count) % classes
    roles = np.where(np.arange(count) < gallery, "gallery", "query")
    names = {"item_id": np.arange(count).astype(str), "label": labels.astype(str)}
    pl.DataFrame({**names, "role": roles}).write_parquet(folder / "items.parquet")
    ours = [LIKEWISE, "score", "sbir-acc", "--json", "--embeddings", path]
    cost = run(*ours, "--items", folder / "items.parquet")
    told = json.loads(cost.output)["metrics"]
    if not 0 <= told["acc@1"] < 1:  # for noise, one hit in a hundred thousand is right
        raise SystemExit(f"noise scores {told}")
    return cost


def _images(folder: Path, count: int) -> Path:
    """Make a folder of empty files with the names of GPR1200's images."""
    images = folder / "images"
    images.mkdir()
    for row in range(count):
        (images / f"{row // PER_CATEGORY}_{row % PER_CATEGORY}.jpg").touch()
    return images


def main() -> None:
    """Measure, and print a table."""
    small: bool = parser(__doc__).parse_args().small
    vectors = vectors_of(120 if small else 1_200)
    with tempfile.TemporaryDirectory() as name:
        first, again, peer = commands(Path(name), vectors, 1 if small else 3, named=small)
    ranked, product = ranking(vectors, 1 if small else ROUNDS)
    table = Table(f"Scoring {len(vectors):,} x {vectors.shape[1]} vectors", small=small)
    table.at_most("ranking and AP; peer: the bare product", ranked, product, 1.3)
    table.below("likewise score; peer: the script's way", again.seconds, 3, peer=peer.seconds)
    table.below("... its peak memory", again.rss_mb, 700, "MB", peer=peer.rss_mb)
    wide = vectors_of(120 if small else 1_200, 2_048)
    ranked, product = ranking(wide, 1 if small else ROUNDS)
    table.at_most(f"the same of {wide.shape[1]:,} dimensions", ranked, product, 1.3)
    gallery, queries = (20_000, 100) if small else (1_000_000, 1_000)
    with tempfile.TemporaryDirectory() as name:
        cost = large(Path(name), gallery, queries)
    what = f"{queries:,} queries in {gallery:,} x {LARGE_DIMENSIONS}, the whole command"
    table.note(what, show(cost.seconds))
    table.below("... its peak memory", cost.rss_mb, 2_000, "MB")
    table.below("compiling, once a machine", max(first.seconds - again.seconds, 0), 10)
    table.print()


if __name__ == "__main__":
    if AS_SCRIPT in sys.argv:
        as_the_script(Path(sys.argv[-1]))
    else:
        main()
