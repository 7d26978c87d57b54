"""Measure shards: speed of two workers, cost of the engines, commits, memory of the driver.

    python benchmarks/scale.py [--small] [--images N]

``ingest`` of small photographs, and ``embed`` of ``--images`` larger ones by a small model
with random weights, run in turn by this process, by one and two processes, and by Ray with one
worker; the figures are medians of the rounds. A second data set of a few images gives the fixed
costs, which are subtracted: what remains is the work. One worker has one processor. The other
rows commit 1,000 fragments to a new table, look at the object store of Ray while shards run,
and plan and run the shards of a million rows with work that does nothing.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import data
import psutil  # type: ignore[import-untyped]  # a dependency of DVC
from measure import LIKEWISE, Table, parser, run, show

IMAGES, FEW, SMALL = 4_500, 500, 600
FILES, FEW_FILES = 45_000, 5_000
"""Files of ingest; a shard has 5,000 or more."""

ROUNDS = 3
FRAGMENTS = 1_000
ROWS = 1_000_000
MOST_CPU = 1.05
LEAST_SPEED = 1.8
MOST_FIXED_S = 15
MOST_COMMIT_S = 2
MOST_STORE_MB = 1
MOST_ROW_BYTES = 100
PARAMS = """\
models:
  m: {kind: timm, backbone: test_resnet.r160_in1k, weights: random, input_size: 160}
embeddings:
  many-m: {dataset: many, model: m}
  few-m: {dataset: few, model: m}
engines:
  one: {kind: processes, workers: 1}
  two: {kind: processes, workers: 2}
  ray: {kind: ray, address: local, workers: 1}
"""


@dataclass(frozen=True)
class Spent:
    """Wall and processor seconds of a command with all its processes."""

    wall: float
    cpu: float

    def __sub__(self, other: "Spent") -> "Spent":
        """Return the costs without those of another command."""
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


def spent(*command: object, cwd: Path, processors: Sequence[int]) -> Spent:
    """Run a command on some processors; sum the processor time of all processes below it."""
    seen: dict[tuple[int, float], float] = {}
    began = time.perf_counter()
    child = psutil.Popen(
        [str(word) for word in command],
        cwd=cwd,
        stdout=-3,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        preexec_fn=lambda: os.sched_setaffinity(0, processors),
    )
    while child.poll() is None:
        for process in _family(child):
            _note(process, seen)
        time.sleep(0.02)
    wall = time.perf_counter() - began
    if child.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return Spent(wall, sum(seen.values()))


def middle(costs: Sequence[Spent]) -> Spent:
    """Return the medians of the rounds."""
    return Spent(median(cost.wall for cost in costs), median(cost.cpu for cost in costs))


def _family(child: psutil.Process) -> list[psutil.Process]:
    try:
        return [child, *child.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _note(process: psutil.Process, seen: dict[tuple[int, float], float]) -> None:
    try:
        times = process.cpu_times()
        seen[process.pid, process.create_time()] = times.user + times.system
    except psutil.NoSuchProcess:
        return


SIZES = {"": (500, 375), "_files": (160, 120)}
"""End of the names of data sets -> size of their photographs in pixels."""


def catalogue(root: Path, counts: dict[str, int]) -> None:
    """Make a catalogue of data sets of photographs, with a model.

    Args:
        root: its folder.
        counts: name of a data set -> number of its photographs.
    """
    run("git", "init", "--quiet", root)
    run(LIKEWISE, "init", root)
    for name, count in counts.items():
        tree = data.enlarged(count, SIZES[name.removeprefix("many").removeprefix("few")])
        words = ("--source", "folder", "--path", tree, "--models", "none")
        run(LIKEWISE, "add", name, *words, cwd=root)
    text = (root / "params.yaml").read_text(encoding="utf-8")
    kept = text.split("models:")[0].split("embeddings:")[0]
    datasets = kept if "datasets:" in kept else text
    (root / "params.yaml").write_text(datasets + PARAMS, encoding="utf-8")
    for name in ("many", "few"):
        run(LIKEWISE, "ingest", name, cwd=root)
    run(LIKEWISE, "load", "m", cwd=root)


def ingested(root: Path, name: str, engine: str, processors: Sequence[int]) -> Spent:
    """Ingest a data set that was not read before."""
    name += "_files"
    shutil.rmtree(root / "catalog" / name, ignore_errors=True)
    (root / ".likewise" / "stamps" / f"{name}.arrow").unlink(missing_ok=True)
    command = (LIKEWISE, "ingest", name, "--engine", engine)
    return spent(*command, cwd=root, processors=processors)


def embedded(root: Path, name: str, engine: str, processors: Sequence[int]) -> Spent:
    """Embed a data set that has no vectors."""
    shutil.rmtree(root / "catalog" / name / "embeddings", ignore_errors=True)
    command = (LIKEWISE, "embed", name, "m", "--engine", engine)
    return spent(*command, cwd=root, processors=processors)


STEPS = {"ingest": ingested, "embed": embedded}
"""Name of a step -> function that runs it for a data set by an engine."""


def engines(table: Table, root: Path, step: str, rounds: int) -> None:
    """Compare engines by a step."""
    run_step = STEPS[step]
    every = sorted(os.sched_getaffinity(0))
    processors = {"here": every[:1], "one": every[:1], "two": every[:2], "ray": every[:1]}
    fixed: dict[str, list[Spent]] = {engine: [] for engine in processors}
    work_of: dict[str, list[Spent]] = {engine: [] for engine in processors}
    for _ in range(rounds):
        for engine, some in processors.items():
            fixed[engine].append(run_step(root, "few", engine, some))
            whole = run_step(root, "many", engine, some)
            work_of[engine].append(whole - fixed[engine][-1])
            costs_text = f"{fixed[engine][-1]}, {work_of[engine][-1]}"
            print(f"  {step} by {engine}: {costs_text}", file=sys.stderr, flush=True)
    costs = {engine: middle(rows) for engine, rows in work_of.items()}
    one, two, here = costs["one"], costs["two"], costs["here"]
    what = f"{step}, 2 processes; 1 process, start-up not counted"
    table.faster(what, two.wall, one.wall, LEAST_SPEED)
    cpu = f"processor time of {step}"
    ray = costs["ray"].cpu
    table.at_most(f"{cpu}, 1 process; this process", one.cpu, here.cpu, MOST_CPU)
    table.at_most(f"{cpu}, Ray with 1 worker; this process", ray, here.cpu, MOST_CPU)
    own = middle(fixed["ray"]).cpu - middle(fixed["here"]).cpu
    table.below(f"processor time that Ray adds to a small {step}", own, MOST_FIXED_S)


def commits(table: Table, work: Path, count: int) -> None:
    """Commit fragments of one row to a new table."""
    import pyarrow as pa

    from likewise.storage import tables
    from likewise.storage.schema import PIXELS

    whole = tables.lance_schema(PIXELS, {"phash": {"version": "1"}})
    schema = pa.schema([field.with_nullable(nullable=True) for field in whole])
    written = []
    for number in range(count):
        cells = [[f"{number:064x}"], *([None] for _ in schema.names[1:])]
        arrays = [pa.array(cell, f.type) for cell, f in zip(cells, schema, strict=True)]
        batch = pa.record_batch(arrays, schema=schema)
        written.append(tables.write_fragments(work / "fragments", schema, [batch]))
    began = time.perf_counter()
    tables.add_fragments(work / "committed.lance", schema, written)
    seconds = time.perf_counter() - began
    table.below(f"commit of {count:,} fragments to a new table", seconds, MOST_COMMIT_S)


@dataclass(frozen=True)
class Nothing:
    """Work that does nothing."""

    root: str = ""

    def __call__(self, shard: int) -> None:
        """Do nothing."""


@contextmanager
def watched_store(most: list[float]) -> Iterator[None]:
    """Connect to a cluster of this machine, and note the use of its object store."""
    import ray

    ray.init("local", num_cpus=1, log_to_driver=False, logging_level="ERROR")
    ended, name = threading.Event(), "object_store_memory"

    def look() -> None:
        while not ended.wait(0.02):
            free = ray.available_resources().get(name, 0)
            most.append(ray.cluster_resources().get(name, 0) - free)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        ray.shutdown()


def object_store(table: Table, work: Path) -> None:
    """Embed a data set by Ray, and look at its object store."""
    import likewise

    root, most = work / "engines", [0.0]
    shutil.rmtree(root / "catalog" / "few" / "embeddings", ignore_errors=True)
    with watched_store(most):
        likewise.embed("few", "m", engine="ray", workspace=root)
    table.below("object store of Ray in use", max(most) / 1e6, MOST_STORE_MB, "MB")


def plan_peak(work: Path, rows: int) -> float:
    """Return the peak memory in MB of a process that plans and runs shards of ``rows`` rows."""
    root = work / f"planned-{rows}"
    root.mkdir()
    cost = run(sys.executable, __file__, "--plan", rows, "--root", root)
    return cost.rss_mb


def plan(root: Path, rows: int) -> None:
    """Plan the shards of generated rows as ``measure`` does, and run work that does nothing."""
    import numpy as np
    import polars as pl

    from likewise.distributed import make_plan, run_shards, shard_sizes
    from likewise.distributed.engines.here import Here
    from likewise.storage.workspace import Workspace

    numbers = pl.Series("row", np.arange(rows, dtype=np.uint32))
    names = pl.select(pl.lit(numbers).cast(pl.String).str.zfill(64)).to_series()
    frame = pl.DataFrame({"sha256": names, "row": numbers})
    sizes = shard_sizes((7_000 for _ in range(rows)), rows)
    facts: dict[str, Any] = {"version": "1"}
    made = make_plan(Workspace(root), "job", facts=facts, rows=frame, sizes=sizes)
    del names, numbers, frame
    failed = run_shards(made, Nothing(), Here())
    print(json.dumps({"shards": len(sizes), "failed": len(failed)}))


def main() -> None:
    """Print the table."""
    made = parser(__doc__)
    made.add_argument("--images", type=int, default=IMAGES)
    made.add_argument("--plan", type=int, help="for a process of this benchmark")
    made.add_argument("--root", type=Path, help="for a process of this benchmark")
    given = made.parse_args()
    if given.plan:
        plan(given.root, given.plan)
        return
    table = Table("Shards, engines and commits", small=given.small)
    images, few = (2 * SMALL, SMALL) if given.small else (given.images, FEW)
    rows = ROWS // 100 if given.small else ROWS
    with data.work() as work:
        rounds = 1 if given.small else ROUNDS
        root = work / "engines"
        files = (images, few) if given.small else (FILES, FEW_FILES)
        names = ("many", "few", "many_files", "few_files")
        catalogue(root, dict(zip(names, (images, few, *files), strict=True)))
        for step in STEPS:
            engines(table, root, step, rounds)
        object_store(table, work)
        commits(table, work, 50 if given.small else FRAGMENTS)
        more, less = plan_peak(work, rows), plan_peak(work, rows // 10)
        grown = (more - less) * 1e6 / (rows - rows // 10)
        table.below(f"memory of the driver per row, {rows:,} rows", grown, MOST_ROW_BYTES, "B")
        table.note("... its peak; of a tenth of the rows", show(more, "MB"), show(less, "MB"))
    table.print()


if __name__ == "__main__":
    main()
