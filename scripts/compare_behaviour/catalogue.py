"""The catalogue that is recorded: a copy of a checkout's samples, with more of every kind."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import lance
import numpy as np
import pyarrow.parquet as pq

SIGNED = {
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
}

RENAMED = {
    "start": "init",
    "clip": "clip_grad_norm",
    "each": "samples_per_class",
    "least": "min_images_per_class",
    "hidden": "mask_ratio",
}
"""Options by their first spelling, and the later one."""

SMALL = "start: tiny, split: null, input_size: 32, batch: 16, epochs: 1"

MORE = {
    "models:": """\
  tiny: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}
  eyes: {kind: timm, backbone: test_vit.r160_in1k, weights: random}
""",
    "trained:": f"""\
  near: {{kind: metric, data: emoji, each: 2, least: 2, validation: 0.2, clip: 5, {SMALL}}}
  classes: {{kind: classify, data: food, head: gem, least: 2, mixup: 0.5, {SMALL}}}
""",
    "pretrained: {}": f"""\
pretrained:
  masked: {{kind: ssl, method: masked, data: food, hidden: 0.5, patch: 8, {SMALL}}}
  twice: {{kind: ssl, method: simclr, data: food, {SMALL}}}
  teacher: {{kind: ssl, method: dino, data: food, outputs: 64, {SMALL}}}
  white: {{kind: whiten, start: tiny, data: emoji, split: null, dim: 16}}
""",
    "distilled: {}": f"""\
distilled:
  small: {{kind: distill, data: food, teacher: lite0, {SMALL}}}
""",
    "embeddings:": """\
  food-small: {dataset: food, model: small}
  food-classes: {dataset: food, model: classes}
  food-masked: {dataset: food, model: masked}
  food-white: {dataset: food, model: white}
  emoji-near: {dataset: emoji, model: near}
""",
    "    kind: exact": """\
  codes: {kind: lopq, v: 8, m: 8}
  hnsw: {kind: faiss, factory: "HNSW16,Flat"}
  ann: {kind: lance}
""",
    "views: {}": "views:\n  food_clean: {of: food, without: [near_duplicate]}\n",
    "runs:": """\
  food-small-knn: {dataset: food, model: small, index: exact, protocol: knn}
  food-white-probe: {dataset: food, model: white, index: exact, protocol: linear-probe}
  food-classes: {dataset: food_clean, model: classes, index: exact, protocol: metric-learning}
  emoji-near-strict: {dataset: emoji, model: near, index: exact, protocol: gpr1200-strict}
  emoji-lite0-ivf: {dataset: emoji, model: lite0, index: ivf, protocol: gpr1200}
  sketches-ivf: {dataset: sketches, model: outlines, index: ivf, protocol: sbir-acc}
""",
}
"""Lines of params.yaml, and what stands below each, or in its place where it ends in {}."""

AT_END = """
transforms:
  small: [{kind: letterbox, side: 48}]
exports:
  thumbs: {kind: folder, transform: small}
"""


class Catalogue:
    """A repository in ``top/catalogue`` that likewise of ``checkout`` works on."""

    def __init__(self, checkout: Path, top: Path) -> None:
        """Copy the files that git tracks, add to them, and make them a git repository."""
        self.root, self.top = top / "catalogue", top
        self._helps: dict[str, str] = {}
        bin_ = top / "bin"
        bin_.mkdir(parents=True)
        python = shlex.quote(sys.executable)
        (bin_ / "likewise").write_text(f'#!/bin/sh\nexec {python} -m likewise "$@"\n')
        (bin_ / "likewise").chmod(0o755)
        path = (
            f"{bin_}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        self._environment = {
            **os.environ,
            **SIGNED,
            "PATH": path,
            "PYTHONPATH": str(checkout / "src"),
            "DVC_SITE_CACHE_DIR": str(top / "site"),
            "DVC_NO_ANALYTICS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }
        tracked = subprocess.check_output(["git", "-C", str(checkout), "ls-files", "-z"])
        for name in tracked.decode().split("\0")[:-1]:
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, target)
        _add_boxes(self.root)
        params = self.root / "params.yaml"
        params.write_text(_with_more(params.read_text(encoding="utf-8")), encoding="utf-8")
        self.must("git", "init", "--quiet", "--initial-branch=main")
        imported = self.must(sys.executable, "-c", "import likewise; print(likewise.__file__)")
        if not Path(imported.strip()).is_relative_to(checkout):
            raise SystemExit(f"{imported.strip()} is not of {checkout}")

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the catalogue."""
        return subprocess.run(
            words,
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, *words: str) -> str:
        """What a command prints that must not fail."""
        done = self.run(*words)
        if done.returncode:
            raise SystemExit(f"{shlex.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def commit(self, name: str) -> None:
        """Commit all there is, tagged ``name``."""
        self.must("git", "add", "--all")
        self.must("git", "commit", "--quiet", "--message", name)
        self.must("git", "tag", name)

    def words(self, line: str, **places: Path | str) -> tuple[str, ...]:
        """The words of a line of `commands.py`, in the spelling of this checkout."""
        words: list[str] = []
        for word in shlex.split(line):
            spellings = word.split("|") if word.startswith("-") or not words else [word]
            if len(spellings) > 1:
                told = self._help(*words[:1])
                known = [one for one in spellings if re.search(rf"(?<![\w-]){one}\b", told)]
                spellings = known or spellings
            words.append(spellings[0].format(**places) if "{" in word else spellings[0])
        return tuple(words)

    def _help(self, *verb: str) -> str:
        key = " ".join(verb)
        if key not in self._helps:
            self._helps[key] = self.must("likewise", *verb, "--help")
        return self._helps[key]


def given(catalogue: Catalogue) -> Path:
    """A folder of files that commands read: vectors, rankings, a table of queries."""
    folder = catalogue.top / "given"
    folder.mkdir()
    rows = lance.dataset(str(catalogue.root / "catalog" / "emoji.lance")).to_table(
        columns=["item_id", "label", "split", "lite0"]
    )
    vectors = np.stack(rows["lite0"].to_numpy())
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(folder / "emoji.npy", vectors)
    np.save(folder / "vector.npy", vectors[7])
    np.save(folder / "lists.npy", np.argsort(-(vectors @ vectors.T), axis=1, kind="stable"))
    ids = rows["item_id"].to_pylist()
    items = rows.drop_columns("lite0").append_column(
        "camera", [[str(n % 3) for n in range(len(ids))]]
    )
    pairs = [[f"easy {n % 2} {ids[(n + 1 + n % 2 * 9) % len(ids)]}"] for n in range(len(ids))]
    pq.write_table(items.append_column("pairs", [pairs]), folder / "items.parquet")
    queries = ["id", "images/0_noto.jpg", "images/1000_fluent.jpg", "images/405_openmoji.jpg"]
    (folder / "queries.csv").write_text("\n".join(queries) + "\n", encoding="utf-8")
    return folder


def _with_more(text: str) -> str:
    """A params.yaml with entries of every kind, whose trainings are short."""
    text = text.replace("    epochs: 6\n", "    epochs: 1\n")
    later = "\n    start: " not in text
    for line, more in {**MORE, "": AT_END}.items():
        if later:
            for old, new in RENAMED.items():
                more = re.sub(rf"(?<=[{{ ]){old}: ", f"{new}: ", more)  # noqa: PLW2901
        if not line:
            text += more
            continue
        if f"\n{line}\n" not in text:
            raise SystemExit(f"params.yaml has no line {line!r}")
        instead = more if line.endswith("{}") else f"{line}\n{more}"
        text = text.replace(f"\n{line}\n", f"\n{instead}", 1)
    return text


def _add_boxes(root: Path) -> None:
    """A data set with boxes, two an image, and some faults."""
    images = root / "boxed" / "images"
    images.mkdir(parents=True)
    lines = ["image,label,x1,y1,x2,y2,split"]
    for number, category in enumerate((0, 200, 400, 600, 800, 1000)):
        for drawn_by in ("noto", "twemoji"):
            name = f"{category}_{drawn_by}.jpg"
            shutil.copy(root / "samples" / "emoji" / "images" / name, images)
            split = "train" if number % 2 else "val"
            lines.append(f"images/{name},c{category},10,20,{90 + number},120,{split}")
            lines.append(f"images/{name},part,60,{70 + number},159,161,{split}")
    lines += ["images/none.jpg,c0,1,1,9,9,val", "images/0_noto.jpg,part,50,50,20,20,val"]
    (root / "boxed" / "items.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
