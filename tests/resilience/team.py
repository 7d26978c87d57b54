"""The catalogues that are attacked: one with everything in it, and states of work on it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

import forked
from emoji_catalogue import CARD, EMOJI, PARAMS, SETS, copy_pictures
from learning import LEARNED, write

MORE_PARAMS = """\
  ivf: {kind: faiss, factory: "IVF4,Flat", nprobe: 4}
checks:
  emoji: {min_side: 100, model: tiny}
views:
  clean: {of: emoji, without: [small]}
"""

OTHER_CATEGORIES = (1, 201, 401, 601)
"""Categories of the images that a new version of the source has in addition."""

ENVIRONMENT = {
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
    "DVC_NO_ANALYTICS": "1",
    "OMP_NUM_THREADS": "1",
    "COLUMNS": "80",
}
"""Variables of every command; the caller sets them once for the whole process."""


def run(root: Path, *words: str) -> str:
    """Run a command that has to succeed; return its output."""
    done = forked.run(root, *words)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def isolate(folder: Path) -> None:
    """Set the variables of all commands, with states of users and DVC in ``folder``."""
    os.environ.update(ENVIRONMENT)
    os.environ["XDG_STATE_HOME"] = str(folder / "user")
    os.environ["DVC_SITE_CACHE_DIR"] = str(folder / "site")


def copy(source: Path, target: Path) -> Path:
    """Copy a folder with its links, so that linked files stay linked; return the copy."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


def record(root: Path, message: str) -> None:
    """Commit all outputs to DVC and everything to git, and set a tag."""
    run(root, "dvc", "commit", "--force", "--quiet")
    run(root, "git", "add", "--all")
    run(root, "git", "commit", "--quiet", "--message", message)
    run(root, "git", "tag", message)


def make_team(top: Path) -> None:
    """Make ``alice``, a complete and pushed catalogue, ``remote`` and the bare ``git``."""
    root = top / "alice"
    copy_pictures(root / "emoji" / "images")
    shutil.copy(EMOJI / "categories.json", root / "emoji")
    (root / "catalog").mkdir()
    (root / "catalog" / "emoji.yaml").write_text(CARD, "utf-8")
    head, tail = PARAMS.split("runs:")
    (root / "params.yaml").write_text(f"{head}{MORE_PARAMS}runs:{tail}", "utf-8")
    run(top, "git", "init", "--quiet", "--bare", "--initial-branch=main", "git")
    run(root, "likewise", "init")
    run(root, "git", "symbolic-ref", "HEAD", "refs/heads/main")
    run(root, "git", "remote", "add", "origin", "../git")
    run(root, "dvc", "remote", "add", "--default", "team", "../remote")
    run(root, "dvc", "repro", "--quiet")
    run(root, "likewise", "correct", "emoji", "0_noto.jpg", "--label", "1000")
    run(root, "dvc", "repro", "--quiet")
    run(root, "likewise", "index", "emoji", "tiny", "ivf")
    record(root, "v1")
    run(root, "likewise", "push")
    run(root, "git", "push", "--quiet", "--tags", "origin", "main")


def _grow(root: Path) -> None:
    """Change the source: new images, two gone, one damaged."""
    images = root / "emoji" / "images"
    for category in OTHER_CATEGORIES:
        for drawn_by in SETS:
            name = f"{category}_{drawn_by}.jpg"
            if (EMOJI / "images" / name).exists():
                shutil.copy(EMOJI / "images" / name, images)
    for name in ("200_noto.jpg", "400_noto.jpg"):
        (images / name).unlink()
    (images / "800_empty.jpg").touch()


def _branch(root: Path) -> None:
    """Correct a label on the branch ``relabelled``, and another one on this branch."""
    run(root, "git", "checkout", "--quiet", "-b", "relabelled")
    run(root, "likewise", "correct", "emoji", "200_noto.jpg", "--label", "0")
    run(root, "git", "commit", "--quiet", "--all", "--message", "theirs")
    run(root, "git", "checkout", "--quiet", "main")
    run(root, "likewise", "correct", "emoji", "400_noto.jpg", "--label", "0")
    run(root, "git", "commit", "--quiet", "--all", "--message", "ours")


def _untrained(root: Path) -> None:
    write(root, "trained", "learned", {**LEARNED, "epochs": 2})


def _unindexed(root: Path) -> None:
    shutil.rmtree(root / ".likewise" / "indexes")


def _unpushed(root: Path) -> None:
    shutil.rmtree(root.parent / "remote")


def _cloned(root: Path) -> None:
    """Replace the catalogue by a new clone of it, without data."""
    shutil.rmtree(root)
    run(root.parent, "git", "clone", "--quiet", "git", root.name)


def _nothing(root: Path) -> None:
    """Change nothing."""


def _verb(*words: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        run(root, "likewise", *words)

    return apply


SMALL_SHARDS = """
from likewise.distributed import shard_cuts
shard_cuts.FEWEST_ROWS = shard_cuts.FEWEST_FILES = 5
"""
"""Code before a command: the few rows of these catalogues have several shards."""

SMALL_PARTS = """
from likewise.retrieval.indexes import faiss
faiss.ADDED = 5
"""
"""Code before a command: an index of these catalogues has several shards."""


LARGE = """
from likewise.steps.check import check_shards
from likewise.steps.evaluate import run_scoring
run_scoring.WHOLE_BYTES = check_shards.MANY_HASHES = 0
"""
"""Code before a command: these catalogues are ranked and checked in shards."""


def _half(before: str, call: str) -> Callable[[Path], None]:
    """Compute the second of two parts of a job."""

    def apply(root: Path) -> None:
        run(root, "python", "-c", f"{before}\nimport likewise\n{call}")

    return apply


def _second(root: Path) -> None:
    run(root, "likewise", "evaluate", "emoji-tiny")
    run(root, "likewise", "view", "clean")
    record(root, "v2")


STATES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "grown": ("made", _grow),
    "ingested": ("grown", _verb("ingest", "emoji")),
    "embedded": ("ingested", _verb("embed", "emoji", "tiny")),
    "half ingested": (
        "grown",
        _half(SMALL_SHARDS, 'likewise.ingest("emoji", shard="1/2")'),
    ),
    "half embedded": (
        "ingested",
        _half(SMALL_SHARDS, 'likewise.embed("emoji", "tiny", shard="1/2")'),
    ),
    "measured": ("embedded", _verb("measure", "emoji")),
    "half checked": ("measured", _half(LARGE, 'likewise.check("emoji", shard="1/2")')),
    "checked": ("measured", _verb("check", "emoji")),
    "published": ("checked", _verb("publish", "emoji")),
    "two versions": ("published", _second),
    "branched": ("made", _branch),
    "untrained": ("made", _untrained),
    "unindexed": ("made", _unindexed),
    "half evaluated": (
        "published",
        _half(LARGE, 'likewise.evaluate("emoji-tiny", shard="0/2")'),
    ),
    "half indexed": (
        "unindexed",
        _half(SMALL_PARTS, 'likewise.index("emoji", "tiny", "ivf", shard="1/2")'),
    ),
    "unpushed": ("made", _unpushed),
    "cloned": ("made", _cloned),
}
"""Name of a state of a team -> the state before it, and the change from that one."""


class States:
    """States of a team, each made when it is first wanted."""

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``."""
        self._folder = folder

    def get(self, name: str) -> Path:
        """Return the team in the state ``name``; copy it before a change."""
        path = self._folder / name
        if path.exists():
            return path
        part = self._folder / f"{name}.part"
        if name == "made":
            part.mkdir(parents=True)
            make_team(part)
        else:
            before, change = STATES[name]
            change(copy(self.get(before), part) / "alice")
        return part.rename(path)


def params(root: Path) -> dict[str, object]:
    """Return what params.yaml of a catalogue has."""
    document: dict[str, object] = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
    return document
