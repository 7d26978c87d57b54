"""Measure DVC on the tables of 50,000 images, compared with DVC on their folder.

    python benchmarks/versions.py [--small]

Both run DVC's own commands, in repositories with the settings of ``likewise init`` (no
analytics; ``cache.type reflink,hardlink,copy``), with a new cache and state in every round.
Each table is the only output of a stage without dependencies, so only the tables are hashed. A
push goes to a new folder as the remote. A pull goes to a checkout that contains only git's
files. The folder is pushed and pulled with DVC, the tables with likewise. The last rows show
the whole stage ``ingest``, where DVC also hashes the source: each file of a folder, or an
archive as one file.
"""

import os
import shutil
from functools import partial
from pathlib import Path

import data
from measure import DVC, LIKEWISE, Table, medians, parser, run

MORE = 10
"""Number of images that are added to the 50,000."""

TABLES = ("images", "items", "findings")
ADD, COMMIT = "dvc add folder", "dvc commit tables"
STATUS_FOLDER, STATUS = "dvc status folder", "dvc status tables"
PUSH_FOLDER, PUSH = "dvc push folder", "likewise push tables"
PULL_FOLDER, PULL = "dvc pull folder", "likewise pull tables"
STAGES = {"a folder": "ingest-folder", "a tar": "ingest-tar"}

_STAGE = """\
  {name}:
    cmd: likewise ingest files
    outs:
      - catalog/files/{name}.lance
"""


class Bench:
    """Repositories of one tree of files: as a folder, and as tables."""

    def __init__(self, tree: Path, work: Path) -> None:
        """Make the start of every round: tables, and an empty DVC repository."""
        self._tree = tree
        self._work = work
        self._places: dict[str, Path] = {}
        # Links, so that adding images to the source does not change the tree.
        self._source = work / "source"
        shutil.copytree(tree, self._source, copy_function=os.link)
        tar = work / "files.tar"
        run("tar", "-cf", tar, "-C", tree, ".")
        self._begin("ingest-folder", self._source)
        self._begin("ingest-tar", tar)
        run("git", "init", "--quiet", work / "empty")
        run(LIKEWISE, "init", work / "empty")

    def rounds(self, number: int) -> dict[str, float]:
        """Return the median seconds of every command."""
        parts = {
            ADD: self._add,
            COMMIT: self._commit,
            STATUS_FOLDER: lambda: self._dvc("folder", "status"),
            STATUS: lambda: self._dvc("tables", "status"),
            PUSH_FOLDER: partial(self._push, "folder", DVC),
            PUSH: partial(self._push, "tables", LIKEWISE),
            PULL_FOLDER: partial(self._pull, "folder", "files", DVC, "pull", "files.dvc"),
            PULL: partial(self._pull, "tables", "*.lance", LIKEWISE, "pull"),
        }
        for stage in STAGES.values():
            parts[f"dvc commit {stage}"] = partial(self._stage, stage)
            parts[f"dvc status {stage}"] = partial(self._dvc, stage, "status")
        return medians(parts, number)

    def growth(self, count: int) -> dict[str, float]:
        """Return the growth of DVC's cache in MB after ten images: of the folder, of tables."""
        grown = {}
        data.add_small_files(self._places["folder"] / "files", count, MORE)
        grown["folder"] = self._grown("folder", "add", "files")
        data.add_small_files(self._source, count, MORE)
        run(LIKEWISE, "ingest", "files", cwd=self._places["tables"])
        for name in TABLES:
            grown[name] = self._grown("tables", "commit", "--force", name)
        return grown

    def _begin(self, name: str, source: Path) -> None:
        data.catalogue(self._work / name, "files", "folder", source)
        run(LIKEWISE, "ingest", "files", cwd=self._work / name)

    def _add(self) -> float:
        place = self._fresh("empty", "folder")
        run("cp", "-r", self._tree, place / "files")
        return self._dvc("folder", "add", "files")

    def _commit(self) -> float:
        place = self._fresh("ingest-folder", "tables")
        stages = "".join(_STAGE.format(name=name) for name in TABLES)
        (place / "dvc.yaml").write_text(f"stages:\n{stages}", encoding="utf-8")
        return self._dvc("tables", "commit", "--force")

    def _push(self, name: str, program: str) -> float:
        """Push to an empty remote."""
        remote = self._places[name].with_name("remote")
        self._dvc(name, "remote", "add", "--default", "here", str(remote))
        return self._run(name, program, "push")

    def _pull(self, name: str, made: str, *command: str) -> float:
        """Pull into a new checkout that has neither a cache nor ``made``."""
        place = self._places[name]
        ignored = shutil.ignore_patterns("cache", "tmp", ".likewise", made)
        self._places["pulled"] = place.with_name("pulled")
        shutil.copytree(place, self._places["pulled"], symlinks=True, ignore=ignored)
        seconds = self._run("pulled", *command)
        pulled = data.files_in(self._places["pulled"] / ".dvc" / "cache")
        if pulled != data.files_in(place.with_name("remote")):
            raise SystemExit(f"{name}: a pull brought {pulled:,} files, and not all")
        return seconds

    def _stage(self, name: str) -> float:
        self._fresh(name, name)
        return self._dvc(name, "commit", "--force", "ingest@files")

    def _fresh(self, begun: str, name: str) -> Path:
        place = data.new_folder(self._work) / "repository"
        self._places[name] = Path(shutil.copytree(self._work / begun, place, symlinks=True))
        return place

    def _dvc(self, name: str, *words: str) -> float:
        return self._run(name, DVC, *words)

    def _run(self, name: str, *command: str) -> float:
        place = self._places[name]
        # Every round has its own, new state of DVC outside the repository.
        state = place.with_name("state")
        env = {"DVC_SITE_CACHE_DIR": str(state), "DVC_NO_ANALYTICS": "1"}
        return run(*command, cwd=place, env=env).seconds

    def _grown(self, name: str, *words: str) -> float:
        cache = self._places[name] / ".dvc" / "cache"
        before = data.bytes_in(cache)
        self._dvc(name, *words)
        return (data.bytes_in(cache) - before) / 1e6


def measure(table: Table, count: int, work: Path, rounds: int) -> None:
    """Add all rows."""
    bench = Bench(data.small_files(count), work)
    seconds = bench.rounds(rounds)
    peer = f"peer: dvc add of {count:,} files"
    table.faster(f"dvc commit of the tables; {peer}", seconds[COMMIT], seconds[ADD], 10)
    table.faster("dvc status; peer: of the folder", seconds[STATUS], seconds[STATUS_FOLDER], 3)
    for what, ours, peer in (
        ("likewise push of the tables; peer: dvc push of the folder", PUSH, PUSH_FOLDER),
        ("likewise pull of the tables; peer: dvc pull of the folder", PULL, PULL_FOLDER),
    ):
        table.faster(what, seconds[ours], seconds[peer], 5)
    for source, stage in STAGES.items():
        what = f"of the stage ingest, its source {source}"
        table.faster(f"dvc commit {what}", seconds[f"dvc commit {stage}"], seconds[ADD], None)
        status = seconds[f"dvc status {stage}"]
        table.faster(f"dvc status {what}", status, seconds[STATUS_FOLDER], None)
    grown = bench.growth(count)
    folder = grown.pop("folder")
    more = f"cache grows by, {MORE} images more"
    table.at_most(f"{more}: images table", grown["images"], folder, None, "MB")
    table.at_most(f"{more}: all tables", sum(grown.values()), folder, None, "MB")


def main() -> None:
    """Measure one tree of small files."""
    small = parser(__doc__).parse_args().small
    rounds = 1 if small else 3
    table = Table(f"Versions, medians of {rounds} rounds", small=small)
    with data.work() as work:
        measure(table, data.FEW if small else data.MANY, work, rounds)
    table.print()


if __name__ == "__main__":
    main()
