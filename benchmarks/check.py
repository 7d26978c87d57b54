"""Measure the time of `likewise measure` and the time to find near copies.

    python benchmarks/check.py [--small]

``likewise measure`` is run as a whole command. The catalogue has already ingested the images,
and every round starts with a new copy of it. The peer only decodes the same files, in as many
processes as there are processors.

Near copies are searched among random hashes. A tenth of the hashes have a copy in which a few
bits differ. The peer compares all pairs for a part of the hashes; its time is multiplied by the
number of parts.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import data
import numpy as np
import numpy.typing as npt
from measure import LIKEWISE, Table, medians, parser, run, show

from likewise.imaging.near_duplicates import MAX_BITS, NO_ROW, nearest_earlier

OURS, DECODE, AGAIN, CHECK = "measure", "decode", "again", "check"
SIZE = (500, 375)
MOST_MB = 500
PART = 200
"""Number of hashes that the peer compares with all others."""

_DECODE = """
import sys
from multiprocessing import get_context
from pathlib import Path
from PIL import Image

def decode(path):
    with Image.open(path) as picture:
        picture.convert("RGB")

if __name__ == "__main__":
    paths = sorted(Path(sys.argv[1]).rglob("*.jpg"))
    with get_context("forkserver").Pool(int(sys.argv[2])) as pool:
        for _ in pool.imap_unordered(decode, paths, chunksize=50):
            pass
"""


class Bench:
    """Measure the images of one tree, which is ingested once."""

    def __init__(self, tree: Path, work: Path) -> None:
        """Make the catalogue that every round copies."""
        self.files = data.files_in(tree)
        self._tree, self._work = tree, work
        self._script = work / "decode.py"
        self._script.write_text(_DECODE, encoding="utf-8")
        self._measured = work / "begun"
        data.catalogue(self._measured, "files", "folder", tree)
        run(LIKEWISE, "ingest", "files", cwd=self._measured)
        self._begun = self._measured

    def rounds(self, number: int) -> dict[str, float]:
        """Return the median seconds of each command."""
        parts = {DECODE: self._decode, OURS: self._measure, AGAIN: self._again}
        return medians({**parts, CHECK: self._check}, number)

    def memory(self) -> float:
        """Return the peak memory of ``likewise measure`` in MB."""
        return run(LIKEWISE, "measure", "files", cwd=self._fresh()).rss_mb

    def _decode(self) -> float:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        return run(sys.executable, self._script, self._tree, workers).seconds

    def _measure(self) -> float:
        self._measured = self._fresh()
        cost = run(LIKEWISE, "measure", "files", cwd=self._measured)
        if f"{self.files:,} images measured" not in cost.output:
            raise SystemExit(f"not all of the {self.files:,} files were measured")
        return cost.seconds

    def _again(self) -> float:
        return run(LIKEWISE, "measure", "files", cwd=self._measured).seconds

    def _check(self) -> float:
        return run(LIKEWISE, "check", "files", cwd=self._measured).seconds

    def _fresh(self) -> Path:
        return Path(shutil.copytree(self._begun, data.new_folder(self._work) / "catalogue"))


def copies(count: int, rounds: int) -> tuple[float, float]:
    """Return the seconds to find near copies among ``count`` hashes and to compare pairs."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 16, (count, 16), dtype=np.uint16)
    tenth = count // 10
    hashes[-tenth:] = hashes[:tenth] ^ (rng.random((tenth, 16)) < 0.2).astype(np.uint16)
    nearest_earlier(hashes[:100], MAX_BITS)  # the first call compiles

    def ours() -> float:
        began = time.perf_counter()
        found = nearest_earlier(hashes, MAX_BITS)
        if (found.rows != NO_ROW).sum() != tenth:
            raise SystemExit("not all copies were found")
        return time.perf_counter() - began

    def peer() -> float:
        began = time.perf_counter()
        whole: npt.NDArray[np.uint64] = hashes.view(np.uint64)
        for row in range(PART):
            np.bitwise_count(whole ^ whole[row]).sum(axis=1, dtype=np.uint16)
        return (time.perf_counter() - began) * count / PART / 2  # each pair once

    seconds = medians({"copies": ours, "all pairs": peer}, rounds)
    return seconds["copies"], seconds["all pairs"]


def main() -> None:
    """Measure, and print a table."""
    small: bool = parser(__doc__).parse_args().small
    rounds, count = (1, 20_000) if small else (3, 1_000_000)
    tree = data.enlarged(data.FEW if small else 8_000, SIZE)
    with data.work() as work:
        bench = Bench(tree, work)
        peak = bench.memory()
        seconds = bench.rounds(rounds)
    ours, decode = seconds[OURS], seconds[DECODE]
    table = Table(f"Check, medians of {rounds} rounds", small=small)
    what = f"measure {bench.files:,} photographs of {SIZE[0]} x {SIZE[1]}"
    table.at_most(f"{what}; peer: decode", ours, decode, 2)
    table.note("... a second", f"{bench.files / ours:,.0f}", f"{bench.files / decode:,.0f}")
    table.at_most("measure again, nothing changed; peer: decode", seconds[AGAIN], decode, None)
    table.note("check: copies and bounds, the whole command", show(seconds[CHECK]))
    table.below("peak memory", peak, MOST_MB, "MB")
    found, pairs = copies(count, rounds)
    table.faster(f"copies among {count:,} hashes; peer: all pairs", found, pairs, 100)
    table.print()


if __name__ == "__main__":
    main()
