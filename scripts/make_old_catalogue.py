"""Make tests/fixtures/catalogue_0_1.tar.xz: a small catalogue as likewise 0.1 wrote it.

The archive is for tests of the migration from 0.1, so likewise of that version must make it:

    git worktree add /tmp/old 19759bb4d57aafb857d2408d0f037eeeedc1e44a
    PYTHONPATH=/tmp/old/src python scripts/make_old_catalogue.py tests/fixtures

Put the environment's `dvc` and `git` on the PATH. Every run writes other files: Lance names its
files at random. So `expected.json`, written next to the archive, belongs to that archive.
"""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

COMMIT = "19759bb4d57aafb857d2408d0f037eeeedc1e44a"
SAMPLES = Path(__file__).parents[1] / "samples"
NAME = "catalogue_0_1"

CATEGORIES = ("404", "801", "809", "1000")
SETS = ("noto", "openmoji", "twemoji")
SKETCHES = (
    *("trainA/00201_01", "trainA/00201_02", "trainA/00385_02", "trainA/00488_01"),
    *("testA/00209_01", "testA/00209_02", "testA/00468_01"),
    *("trainB/00201", "trainB/00385", "trainB/00488", "testB/00209", "testB/00468"),
)

PARAMS = """\
# The catalogue of our group; ask Ada before you change the seed.
seed: 3

datasets:
  drawings: # in GPR1200's layout
    path: data/drawings
    annotations: data/drawings
  sketches: {path: data/sketches, annotations: data/sketches}

models:
  tiny: {kind: timm, backbone: test_efficientnet.r160_in1k, weights: random, input_size: 32}

# models that learn
trained:
  # the first one that was any good
  near: &small
    kind: metric
    start: tiny # random weights
    data: drawings
    split: null
    validation: 0.5
    input_size: 32
    batch: 6
    each: 3 # of four classes
    least: 2
    epochs: 2
    lr: 1.0e-12
    clip: 5 # the gradient explodes without
    freeze_norm: true
    head: none
    workers: 0
  wider: {<<: *small, "each": 2, start: near, dim: 4}
  'classes': {kind: classify, start: near, data: drawings, split: null, validation: 0.3,
    least: 1, input_size: 32, batch: 6, epochs: 1, lr: 1.0e-12, freeze_norm: true, workers: 0}
  pairs:
    kind: arnet
    start: tiny
    data: sketches
    input_size: 32
    validation: 0
    batch: 4
    epochs: 1
    lr: 1.0e-12
    clip: 2.5
    dim: 0
    shared_encoder: true
    copies: false
    gallery: edges
    freeze_norm: true
    workers: 0
pretrained:
  masked:
    kind: ssl
    method: masked
    start: tiny
    data: sketches
    split: null
    input_size: 32
    patch: 8
    hidden: 0.4 # FISSP hides more
    dim: 8
    batch: 6
    epochs: 1
    lr: 1.0e-12
    clip: 1
    freeze_norm: true
    workers: 0
  white: {kind: whiten, start: near, data: drawings, split: null, dim: 6, input_size: 32}
distilled:
  pupil:
    kind: distill
    start: tiny
    teacher: near
    data: drawings
    split: null
    validation: 0
    input_size: 32
    batch: 6
    epochs: 1
    lr: 1.0e-12
    clip: 3
    freeze_norm: true
    workers: 0

embeddings:
  drawings-tiny: {dataset: drawings, model: tiny, dtype: float16}
  drawings-near: {dataset: drawings, model: near}
  drawings-white: {dataset: drawings, model: white}
  sketches-pairs: {dataset: sketches, model: pairs}

indexes:
  exact: {kind: exact}
  flat: {kind: faiss, factory: Flat}

checks:
  drawings: {min_side: 100, model: near, similar: 0.999999}

views:
  drawings_clean: {of: drawings, without: [blurred, few_bytes]}

runs:
  drawings-near-strict: {dataset: drawings, model: near, index: exact, protocol: gpr1200-strict}
  drawings-white-flat: {dataset: drawings, model: white, index: flat, protocol: gpr1200}
  clean-tiny: {dataset: drawings_clean, model: tiny, index: exact, protocol: metric-learning}
  sketches-pairs: {dataset: sketches, model: pairs, index: exact, protocol: sbir-acc}

exports:
  table: {kind: csv, images: false}
"""

OWN_STAGE = """\
stages:
  # Ada's: the settings that our wiki shows
  wiki:
    cmd: cp reports/drawings-near-strict.json reports/wiki.txt
    deps: [reports/drawings-near-strict.json, models/near, models/tiny]
    params: [trained.near.clip, trained.near.each, pretrained.masked]
    outs:
      - reports/wiki.txt: {cache: false}
"""

TRAINING = """\
      cmd: likewise train ${key}
      deps:
        - models/${item.start}
"""

OWN_TRAINING = """\
      cmd: likewise train ${key}
      desc: takes a GPU when there is one # Ada
      deps:
        - models/${item.start}
        - data/NOTES # we read it first
"""

EDITS = (
    ("stages:\n", OWN_STAGE),
    (TRAINING, OWN_TRAINING),
    ("        - indexes\n", "        - indexes # all of them\n"),
)
"""What the owner changed in dvc.yaml: text of the template and text instead, once each."""

CARDS = {
    "drawings": "title: Drawings\nsource: {kind: gpr1200}\n",
    "sketches": "title: Sketches\nsource: {kind: sketch}\n",
}
LICENCE = "licence: {spdx: CC-BY-SA-4.0, terms: each drawing under the licence of its set}\n"

COMMANDS = (
    "list --json --rev {rev}",
    "show drawings --json --rev {rev}",
    "show drawings --labels --json --rev {rev}",
    "show sketches --json --rev {rev}",
    "findings drawings --json --rev {rev}",
    'query "select * from drawings_items order by item_id" --json --rev {rev}',
    'query "select item_id, label, text from drawings order by item_id" --json --rev {rev}',
    "search drawings --model near --id images/404_noto.jpg -k 4 --json --rev {rev}",
    "search sketches --id testA/00209_01.png -k 3 --json --rev {rev}",
)
"""What is run at v1 and at v2."""

ONCE = (
    "list --json",
    "log drawings --json",
    "log sketches --json",
    "diff drawings v1 v2 --json",
    "diff drawings v1 labels --json",
    "show drawings --rev 1.0 --json",
    "compare drawings-near-strict@v1 drawings-near-strict --json",
    "why near --json",
    "why pupil --json",
    "why drawings near --json",
    "doctor --json",
)


def main() -> None:
    """Make the archive and what is expected of it in the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix="old-catalogue-"))
    print(f"working in {top}, which is kept")
    maker = Maker(top)
    maker.all()
    expected = maker.expected()
    _pack(maker.root, folder / f"{NAME}.tar.xz")
    text = json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / f"{NAME}.json").write_text(text, encoding="utf-8")
    size = (folder / f"{NAME}.tar.xz").stat().st_size
    print(f"{folder / NAME}.tar.xz: {size / 1e3:,.0f} kB")


class Maker:
    """Makes the catalogue in ``top/catalogue``."""

    def __init__(self, top: Path) -> None:
        """Put a `likewise` on the PATH that is the one which is imported here."""
        self.root = top / "catalogue"
        self.root.mkdir()
        bin_ = top / "bin"
        bin_.mkdir()
        (bin_ / "likewise").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m likewise "$@"\n')
        (bin_ / "likewise").chmod(0o755)
        people = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
        }
        self._environment = {
            **os.environ,
            **people,
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "DVC_SITE_CACHE_DIR": str(top / "site"),
            "DVC_NO_ANALYTICS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, line: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            shlex.split(line),
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and "doctor" not in line:
            raise SystemExit(f"{line}: {done.stdout}{done.stderr}")
        return done.stdout

    def all(self) -> None:
        """The catalogue with its versions: v1, v2, the branch labels, a release."""
        # Without compression equal contents are packed once, wherever they lie.
        self.run("git init --quiet --initial-branch=main --template=")
        self.run("git config core.compression 0")
        self.run("git config gc.auto 0")
        self._begin()
        self.run("likewise init")
        self._commit("Begin a catalogue")
        self._repro("Make everything", "v1")
        self.run("git switch --quiet --create labels")
        self.run("likewise correct sketches testA/00209_01.png --set text=cap")
        self._repro("Correct a text")
        self.run("likewise correct drawings images/809_twemoji.jpg --label 801")
        self._commit("Correct a label of another data set, and make nothing")
        self.run("git switch --quiet main")
        self.run("dvc checkout --quiet")
        self.run("likewise correct drawings images/404_noto.jpg --label 801")
        self._repro("Correct a label", "v2")
        self.run('likewise release drawings 1.0 -m "One label corrected"')
        again = self.run("dvc repro")
        if "Running stage" in again or self.run("git status --porcelain"):
            raise SystemExit(f"not clean: {again}{self.run('git status')}")

    def expected(self) -> dict[str, Any]:
        """What this version says of the catalogue."""
        from likewise.passport import Passport

        passports = sorted(self.root.glob("models/*/passport.json"))
        digests = [
            *self.root.glob("catalog/*/columns/*.yaml"),
            *self.root.glob("catalog/*.columns.yaml"),
            *self.root.glob("catalog/*/flags.yaml"),
            *self.root.glob("catalog/.pixels/*.yaml"),
        ]
        lines = [line.format(rev=rev) for rev in ("v1", "v2") for line in COMMANDS]
        return {
            "commit": COMMIT,
            "identities": {
                p.parent.name: Passport.read(p.parent).identity() for p in passports
            },
            "digests": self._texts(digests),
            "reports": self._texts(list(self.root.glob("reports/*.json"))),
            "commands": {
                line: json.loads(self.run(f"likewise {line}")) for line in (*lines, *ONCE)
            },
        }

    def _texts(self, paths: list[Path]) -> dict[str, str]:
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(paths)
        }

    def _begin(self) -> None:
        """Pictures, cards, params.yaml, and a dvc.yaml that its owner changed."""
        from likewise.steps.pipeline import template

        _copy_pictures(self.root / "data")
        (self.root / "data" / "NOTES").write_text("Drawings of emoji, by several people.\n")
        (self.root / "params.yaml").write_text(PARAMS, encoding="utf-8")
        (self.root / "catalog").mkdir()
        for name, card in CARDS.items():
            (self.root / "catalog" / f"{name}.yaml").write_text(card + LICENCE)
        text = template("dvc.yaml")
        for old, new in EDITS:
            if old not in text:
                raise SystemExit(f"dvc.yaml of this version has no {old!r}")
            text = text.replace(old, new, 1)
        (self.root / "dvc.yaml").write_text(text, encoding="utf-8")

    def _repro(self, message: str, tag: str = "") -> None:
        print(self.run("dvc repro"))
        self._commit(message)
        if tag:
            self.run(f"git tag {tag}")

    def _commit(self, message: str) -> None:
        self.run("git add --all")
        self.run(f"git commit --quiet --message {shlex.quote(message)}")


def _copy_pictures(data: Path) -> None:
    drawings = data / "drawings"
    (drawings / "images").mkdir(parents=True)
    for category in CATEGORIES:
        for drawn_by in SETS:
            picture = SAMPLES / "emoji" / "images" / f"{category}_{drawn_by}.jpg"
            shutil.copy(picture, drawings / "images")
    texts = json.loads((SAMPLES / "emoji" / "categories.json").read_text(encoding="utf-8"))
    few = {category: texts[category] for category in CATEGORIES}
    (drawings / "categories.json").write_text(json.dumps(few, indent=1), encoding="utf-8")
    for name in SKETCHES:
        target = data / "sketches" / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / "sketches" / f"{name}.png", target)


def _pack(root: Path, archive: Path) -> None:
    """All but what a checkout keeps for itself; with links, so that nothing is packed twice."""
    left_out = {".likewise", ".dvc/tmp"}

    def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name.removeprefix(f"{NAME}/") in left_out:
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode |= stat.S_IRUSR
        return member

    with tarfile.open(archive, "w:xz", preset=9) as packed:
        packed.add(root, NAME, filter=chosen)


if __name__ == "__main__":
    main()
