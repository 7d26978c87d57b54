"""Measure the speed of ingest, compared with copying the folder and Hugging Face datasets.

    python benchmarks/ingest.py [--small]

``likewise ingest`` is run as a whole command, in a catalogue made by ``likewise init`` and
``add``. Every round starts with a new copy of that catalogue. The peers are ``cp -r`` of the
same tree, and ``load_dataset("imagefolder")`` with ``save_to_disk`` and an empty cache.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import data
from measure import LIKEWISE, Cost, Table, medians, parser, run, show, together

COPY, OURS, AGAIN, TAR, HF = "cp -r", "ingest", "unchanged", "tar", "datasets"
START = "start"
_START = "import polars, lance, pyarrow.dataset, PIL.Image"
"""The libraries that every ingest loads: with few files, they take most of the time."""
MOST_MB = 500
MANY_FILES, FEW_FILES = 2.0, 3.0
"""Times of ``cp -r`` that ingest may take for tens of thousands of files, and for thousands."""
TIMES = 10
"""Number of copies of the photographs, so that the start of the command matters less."""

_HF = """
import sys
from datasets import load_dataset
load_dataset("imagefolder", data_dir=sys.argv[1]).save_to_disk(sys.argv[2])
"""


class Bench:
    """Ingest one tree of files in every way."""

    def __init__(self, what: str, tree: Path, work: Path) -> None:
        """Make the catalogues that every round copies: of the tree, and of its tar."""
        self.what = what
        self.files = data.files_in(tree)
        self._tree = tree
        self._work = work
        self._ingested = work
        tar = work / "files.tar"
        run("tar", "-cf", tar, "-C", tree, ".")
        data.catalogue(work / "begun", "files", "folder", tree)
        data.catalogue(work / "begun-tar", "files", "folder", tar)

    def rounds(self, number: int) -> dict[str, float]:
        """Return the median seconds of every way."""
        parts = {COPY: self._copy, OURS: self._ingest, AGAIN: self._again, TAR: self._tar}
        parts[START] = lambda: run(sys.executable, "-c", _START).seconds
        if importlib.util.find_spec("datasets"):
            parts[HF] = lambda: self.datasets().seconds
        return medians(parts, number)

    def memory(self) -> tuple[float, float]:
        """Return the peak MB of the largest process of ingest, and of all its processes."""
        where = self._fresh("begun")
        return together(LIKEWISE, "ingest", "files", cwd=where)

    def datasets(self) -> Cost:
        """Return the cost of Hugging Face datasets for the same folder."""
        place = data.new_folder(self._work)
        env = {
            "HF_HOME": str(place / "home"),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
        }
        return run(sys.executable, "-c", _HF, self._tree, place / "saved", env=env)

    def _copy(self) -> float:
        return run("cp", "-r", self._tree, data.new_folder(self._work) / "copy").seconds

    def _ingest(self) -> float:
        self._ingested = self._fresh("begun")
        return self._timed(self._ingested)

    def _again(self) -> float:
        return self._timed(self._ingested)

    def _tar(self) -> float:
        return self._timed(self._fresh("begun-tar"))

    def _timed(self, where: Path) -> float:
        seconds = run(LIKEWISE, "ingest", "files", cwd=where).seconds
        digests = where / "catalog" / "files" / "columns" / "images.yaml"
        if f"rows: {self.files}\n" not in digests.read_text(encoding="utf-8"):
            raise SystemExit(f"{self.what}: not all of the {self.files} files are in the table")
        return seconds

    def _fresh(self, name: str) -> Path:
        place = data.new_folder(self._work) / "catalogue"
        return Path(shutil.copytree(self._work / name, place))


def measure(table: Table, bench: Bench, rounds: int, most: float) -> None:
    """Add the rows of one tree; ingest may take ``most`` times as long as ``cp -r``."""
    main, everything = bench.memory()
    seconds = bench.rounds(rounds)
    ours, copy, what = seconds[OURS], seconds[COPY], f"{bench.files:,} {bench.what}"
    table.at_most(f"ingest {what}; peer: cp -r", ours, copy, most)
    loaded = ours - seconds[START]
    table.at_most("... without loading its libraries; peer: cp -r", loaded, copy, most)
    if HF in seconds:
        table.faster(f"ingest {what}; peer: datasets", ours, seconds[HF], 5)
        peer = bench.datasets().rss_mb
    else:
        table.note(f"ingest {what}; peer: datasets", show(ours), "not installed")
        peer = None
    table.at_most("ingest the same as a tar; peer: the folder", seconds[TAR], ours, 1 / 0.9)
    table.at_most("ingest again, nothing changed; peer: cp -r", seconds[AGAIN], copy, None)
    table.below("peak memory, largest process", main, MOST_MB, "MB", peer)
    table.below("peak memory, with its workers", everything, MOST_MB, "MB")


def main() -> None:
    """Measure many small files, and photographs."""
    small = parser(__doc__).parse_args().small
    rounds = 1 if small else 3
    table = Table(f"Ingest, medians of {rounds} rounds", small=small)
    what, pictures = data.photographs(small=small)
    trees = {
        "small files": data.small_files(data.FEW if small else data.MANY),
        what: pictures,
    }
    if not small:
        trees[f"{what}, each {TIMES} times"] = data.repeated(pictures, TIMES)
    with data.work() as work:
        for name, tree in trees.items():
            most = FEW_FILES if name == what else MANY_FILES
            measure(table, Bench(name, tree, data.new_folder(work)), rounds, most)
    table.print()


if __name__ == "__main__":
    main()
