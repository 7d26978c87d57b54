"""Record what likewise of a checkout does: places, and what stands there."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from catalogue import Catalogue, given
from commands import AFTER, BEFORE, CHANGE, VERSIONS, lines
from content import content
from normalise import Normaliser

WRITTEN = (
    "catalog/**/columns/*.yaml",
    "catalog/*.columns.yaml",
    "catalog/*/flags.yaml",
    "catalog/.pixels/*.yaml",
    "catalog/*.yaml",
    "catalog/*/*.csv",
    "catalog/**/*.lance",
    "models/*",
    "reports/**/*.json",
    "reports/*.md",
    "reports/*.html",
    "reports/*.parquet",
    "reports/*.csv",
    "reports/training/*/plots",
    "schemas/*.yaml",
    "CHANGELOG.md",
)
"""What the pipeline and the commands write into a catalogue."""

_IDENTITY = """
import importlib, json, sys
from pathlib import Path
passport = importlib.import_module(sys.argv[1]).Passport
folders = sorted(path.parent for path in Path("models").glob("*/passport.json"))
print(json.dumps({folder.name: passport.read(folder).identity() for folder in folders}))
"""


def record(checkout: Path, top: Path) -> dict[str, Any]:
    """The behaviour of the likewise in ``checkout``, recorded in the new folder ``top``."""
    return Recorder(checkout, top).all()


class Recorder:
    """Collects places and what stands there."""

    def __init__(self, checkout: Path, top: Path) -> None:
        """Make the catalogue."""
        self._checkout, self._top = checkout, top
        self._catalogue = Catalogue(checkout, top)
        self._normaliser = Normaliser(top)
        self._found: dict[str, Any] = {}
        self._last: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """Run everything; what was found, by place."""
        catalogue = self._catalogue
        self._put("init", catalogue.run("likewise", "init").returncode)
        catalogue.commit("v0")
        self._run("before", BEFORE)
        self._put("params", yaml.safe_load((catalogue.root / "params.yaml").read_text("utf-8")))
        self._pipeline("first")
        catalogue.commit("v1")
        self._written("first")
        self._identities("first")
        places = {"v1": "v1", "given": str(given(catalogue))}
        self._run("after", AFTER, **places)
        catalogue.commit("reported")
        self._branch()
        self._run("change", CHANGE)
        self._pipeline("second")
        catalogue.commit("v2")
        self._written("second")
        self._identities("second")
        catalogue.must("dvc", "remote", "add", "--default", "team", str(self._top / "remote"))
        catalogue.must("git", "commit", "--all", "--quiet", "--message", "remote")
        self._run("versions", VERSIONS, **places)
        self._written("last")
        return self._found

    def _put(self, place: str, value: Any) -> None:
        """Record a value, in which commits are called by their subjects."""
        for line in self._catalogue.must("git", "log", "--all", "--format=%H %s").splitlines():
            self._normaliser.know(*line.split(" ", 1))
        self._found[place] = self._normaliser.plain(value)

    def _pipeline(self, name: str) -> None:
        """Run the pipeline, and once more, when no stage may run."""
        for place in (name, f"{name} again"):
            print(f"pipeline: {place}", file=sys.stderr)
            printed = self._catalogue.must("dvc", "repro")
            stages = re.findall(r"^Running stage '([^']+)'", printed, re.MULTILINE)
            self._put(f"pipeline {place}", dict.fromkeys(stages, "ran"))

    def _branch(self) -> None:
        """A branch `labels` at the first version, with a correction of its own."""
        run = self._catalogue.must
        run("git", "switch", "--quiet", "--create", "labels", "v1")
        run(
            "likewise",
            "correct",
            "food",
            "train/drink/cup-with-straw_noto.png",
            "--label",
            "sweet",
        )
        run("git", "commit", "--all", "--quiet", "--message", "labels")
        run("git", "switch", "--quiet", "main")

    def _written(self, name: str) -> None:
        """What was written, except what is as it was the last time."""
        root = self._catalogue.root
        paths = sorted({path for pattern in WRITTEN for path in root.glob(pattern)})
        for path in paths:
            if not any(parent.suffix == ".lance" for parent in path.parents):
                where, found = path.relative_to(root).as_posix(), content(path)
                if self._last.get(where) != found:
                    self._put(f"{name} {where}", found)
                self._last[where] = found

    def _identities(self, name: str) -> None:
        """The passports' identities; the class moves from one version to another."""
        source = self._checkout / "src"
        modules = [
            ".".join(path.relative_to(source).with_suffix("").parts)
            for path in source.rglob("*.py")
            if re.search(r"^class Passport\b", path.read_text(encoding="utf-8"), re.MULTILINE)
        ]
        told = self._catalogue.must(sys.executable, "-c", _IDENTITY, *modules[:1])
        self._put(f"{name} identities", json.loads(told))

    def _run(self, when: str, commands: str, **places: str) -> None:
        """Run commands; their exit codes, what they print, and what they write to {out}."""
        for number, line in enumerate(lines(commands)):
            print(f"{when}: {line}", file=sys.stderr)
            out = self._top / f"{when}-{number}"
            out.mkdir()
            words = self._catalogue.words(line, out=str(out), **places)
            done = self._catalogue.run("likewise", *words)
            place = f"{when}: {re.sub(r'([|]--[a-z-]+)', '', line)}"
            self._put(f"{place} / exit code", done.returncode)
            if done.returncode:
                print(f"  exit code {done.returncode}: {done.stderr.strip()}", file=sys.stderr)
            self._put(place, _document(done.stdout))
            if any(out.iterdir()):
                self._put(f"{place} / written", content(out))


def _document(printed: str) -> Any:
    """What a command printed: JSON, or lines."""
    try:
        return json.loads(printed)
    except ValueError:
        return printed.splitlines()
