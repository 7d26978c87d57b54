"""Read the state of a catalogue: its files and tables, git, answers, and problems."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import forked

_APART = (".git", ".dvc", ".likewise")
"""Folders of the state of a checkout, which is not compared."""

INCOMPLETE = "incomplete"
"""The digest of a table that cannot be read, as in the middle of a checkout."""


def state(root: Path) -> dict[str, str]:
    """Return path -> digest of the content of every file and table, and facts of git."""
    seen: dict[str, str] = {}
    for top, folders, files in os.walk(root):
        folder = Path(top)
        for name in [n for n in folders if n.endswith(".lance")]:
            folders.remove(name)
            seen[str((folder / name).relative_to(root))] = table_digest(folder / name)
        if folder == root:
            folders[:] = [name for name in folders if name not in _APART]
        for name in files:
            seen[str((folder / name).relative_to(root))] = _file_digest(folder / name)
    return seen | _git(root)


def table_digest(path: Path) -> str:
    """Return a digest of the columns, types and values of a table, with packed pixels."""
    import lance

    try:
        table = lance.dataset(str(path)).to_table(blob_handling="all_binary")
    except (OSError, ValueError, RuntimeError):
        return INCOMPLETE
    types = [(field.name, str(field.type)) for field in table.schema]
    return _hash(repr((types, table.to_pylist())).encode())


def _file_digest(path: Path) -> str:
    if path.suffix == ".parquet":
        import polars as pl

        return _hash(repr(pl.read_parquet(path).rows()).encode())
    if path.name == "made.json":  # it has the hours of a training
        return _hash(repr(sorted(json.loads(path.read_bytes()))).encode())
    if path.name == "dvc.lock":
        return _lock_digest(path.read_text("utf-8"))
    return _hash(path.read_bytes())


def _lock_digest(text: str) -> str:
    """Return a digest of a lock file without MD5 of tables, whose files have random names."""
    for output in re.findall(
        r"path: \S+\.lance\n( +hash: md5\n +md5: \S+\n +size: .*\n)", text
    ):
        text = text.replace(output, "")
    return _hash(text.encode())


def _git(root: Path) -> dict[str, str]:
    if not (root / ".git").exists():
        return {}
    facts = {
        "git tree": ("rev-parse", "HEAD^{tree}"),
        "git tags": ("tag", "--list"),
        "git status": ("status", "--porcelain", "--untracked-files=all"),
        "git branch": ("symbolic-ref", "HEAD"),
    }
    return {name: forked.run(root, "git", *words).stdout for name, words in facts.items()}


def remote_files(team: Path) -> dict[str, str]:
    """Return path -> digest of the files of the remote of DVC."""
    remote = team / "remote"
    files = (path for path in sorted(remote.rglob("*")) if path.is_file())
    return {str(path.relative_to(team)): _hash(path.read_bytes()) for path in files}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ANSWERS = (
    ("show", "emoji", "--json"),
    ("show", "emoji", "--labels", "--json"),
    ("query", "select * from emoji", "--json"),
    ("query", "select * from emoji_items", "--json"),
    ("query", "select * from emoji_images", "--json"),
    ("query", "select * from emoji_findings", "--json"),
    ("search", "emoji", "--id", "0_fluent.jpg", "-k", "30", "--json"),
    ("search", "emoji", "--id", "0_fluent.jpg", "-k", "30", "--index", "ivf", "--json"),
    ("search", "clean", "--keywords", "house", "-k", "30", "--json"),
    ("compare", "emoji-tiny", "emoji-tiny", "--json"),
    ("export", "emoji", "folder", "--to", "out"),
)
"""Commands that read a catalogue of ``team``."""

Answer = tuple[int, str]
"""Exit code of a command, and its output."""

_READ = """
import io, json, sys, traceback
from contextlib import redirect_stderr, redirect_stdout
from likewise.cli.app import main
answers = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["likewise", *words]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            code = 1
            traceback.print_exc()
    answers.append([code, err.getvalue() if code else out.getvalue()])
print(json.dumps(answers))
"""
"""Runs commands of likewise in one process; prints the exit code and the output of each."""


def answers(root: Path, commands: Sequence[tuple[str, ...]] = ANSWERS) -> dict[str, Answer]:
    """Return what the readers answer, and the files of exports; nothing they wrote is left."""
    done = forked.run(root, "python", "-c", _READ, json.dumps(commands))
    if done.returncode:
        return {"all": (done.returncode, done.stderr)}
    found = {
        " ".join(w): (code, text)
        for w, (code, text) in zip(commands, json.loads(done.stdout), strict=True)
    }
    if (root / "out").exists():
        found["exported files"] = (0, repr(_exported(root / "out")))
        shutil.rmtree(root / "out")
    return found


def _exported(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): _hash(path.read_bytes()) for path in files}


def problems(root: Path, *options: str) -> list[dict[str, str]]:
    """Return what doctor finds: check, what and command of each problem."""
    done = forked.run(root, "likewise", "doctor", "--json", *options)
    assert done.returncode in (0, 1), f"doctor: {done.returncode}: {done.stderr}"
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def leftovers(root: Path) -> list[str]:
    """Return parts, staged files and journals that a command left."""
    parts = [path for path in root.rglob("*.part") if "views" not in path.parts]
    private = root / ".likewise"
    for name in ("staging", "commits", "trash", "forgetting"):
        parts += (private / name).glob("*")
    return sorted(str(path.relative_to(root)) for path in parts)
