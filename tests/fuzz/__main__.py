"""Run random hostile inputs: ``python tests/fuzz --cases 10000``.

Every case is a workspace with hostile files and some commands on it. No command may take more
than 20 s of the processor or 2 GB, end with an undocumented exit code or a traceback, print
control characters, or change a file outside the workspace. The exit code is 1 if there is a
fault.
"""

import argparse
import gc
import multiprocessing
import os
import pkgutil
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["LANCE_CPU_THREADS"] = "2"
os.environ["LANCE_IO_THREADS"] = "2"
os.environ["COLUMNS"] = "80"

from fuzz import annotations, containers, foreign, layouts
from fuzz.case import Generator
from fuzz.complete import make_complete
from fuzz.runner import Outcome, run_case

GENERATORS: dict[str, Generator] = {
    **annotations.GENERATORS,
    **containers.GENERATORS,
    **foreign.GENERATORS,
    **layouts.GENERATORS,
}


def preload() -> None:
    """Import what commands import, once for all forks; start no thread."""
    import importlib
    import warnings

    warnings.simplefilter("ignore")
    gc.disable()
    for name in ("dvc.repo.status", "lance", "msgspec.yaml", "polars", "pyarrow.parquet"):
        importlib.import_module(name)

    import likewise
    from likewise.cli.app import app  # noqa: F401

    for name in likewise.__all__:
        getattr(likewise, name)
    for package in ("exports", "formats.archives", "sources", "steps.doctor", "storage"):
        for module in pkgutil.walk_packages(
            importlib.import_module(f"likewise.{package}").__path__, f"likewise.{package}."
        ):
            importlib.import_module(module.name)
    gc.enable()
    gc.freeze()  # so that a fork copies fewer pages


def run_one(task: tuple[str, int, int, Path, Path, bool]) -> tuple[str, int, Outcome]:
    """Run the case ``number`` of a kind; it depends on kind, number and seed alone."""
    kind, number, seed, folder, catalogue, keep = task
    rng = random.Random(f"{seed}-{kind}-{number}")  # noqa: S311 (no secret)
    place = folder / f"{kind}-{number}"
    try:
        return kind, number, run_case(GENERATORS[kind](rng), place, catalogue)
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    """Run the cases and print a table of them, and every fault."""
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="number of cases of all kinds")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=sorted(GENERATORS), help="run these kinds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--catalogue", type=Path, help="complete catalogue; default: make one")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the cases")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="likewise-fuzz-"))
    catalogue = options.catalogue or folder / "catalogue"
    if not options.catalogue:
        make_complete(catalogue)
    preload()
    kinds = options.only or list(GENERATORS)
    each = -(-options.cases // len(kinds))
    tasks = [
        (kind, number, options.seed, folder, catalogue, options.keep)
        for number in range(options.first, options.first + each)
        for kind in kinds
    ]
    done: dict[str, list[Outcome]] = defaultdict(list)
    start, faults = time.monotonic(), 0
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for at, (kind, number, outcome) in enumerate(pool.imap_unordered(run_one, tasks), 1):
            done[kind].append(outcome)
            for fault in outcome.faults:
                faults += 1
                print(f"{kind} {number}: {fault}\n", flush=True)
            if at % 100 == 0:
                print(f"{at:,} of {len(tasks):,} cases, {faults:,} faults", file=sys.stderr)
    print_table(done)
    print(f"{len(tasks):,} cases, {faults:,} faults, {time.monotonic() - start:.0f} s")
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return int(faults > 0)


def print_table(done: dict[str, list[Outcome]]) -> None:
    """Print cases, exit codes, and the greatest time and memory of each kind."""
    print(f"{'kind':10} {'cases':>6} {'faults':>6} {'max s':>6} {'max MB':>7}  exit codes")
    for kind, outcomes in done.items():
        codes = Counter(code for outcome in outcomes for code in outcome.codes)
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        print(
            f"{kind:10} {len(outcomes):6} {sum(bool(o.faults) for o in outcomes):6} "
            f"{max(o.seconds for o in outcomes):6.1f} "
            f"{max(o.memory for o in outcomes) / 1e6:7.0f}  {shown}"
        )


if __name__ == "__main__":
    sys.exit(main())
