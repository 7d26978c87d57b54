"""``scripts/release`` names every file that does not fit the version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a clone of the three files, ready for the release of 0.1.0."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    changes = tmp_path / "CHANGELOG.md"
    text = changes.read_text("utf-8").replace("0.1.0 - unreleased", "0.1.0 - 2026-12-01", 1)
    changes.write_text(text, "utf-8")
    _git(tmp_path, "init", "--quiet")
    _commit(tmp_path)
    return tmp_path


def _git(folder: Path, *words: str) -> None:
    own = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True)


def _commit(folder: Path) -> None:
    _git(folder, "add", *FILES)
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", "files")


def _facts(folder: Path) -> tuple[int, str]:
    env = {**os.environ, "LIKEWISE_RELEASE_ROOT": str(folder)}
    command = [sys.executable, str(ROOT / "scripts" / "release"), "--facts"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_files_that_agree_are_accepted(project: Path) -> None:
    assert _facts(project) == (0, "0.1.0: all files agree\n")


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        (
            "CITATION.cff",
            "version: 0.1.0",
            "version: 0.0.9",
            "CITATION.cff has another version",
        ),
        ("CHANGELOG.md", "## 0.1.0 -", "## 0.0.9 -", "CHANGELOG.md is not that of 0.1.0"),
        ("CHANGELOG.md", "2026-12-01", "unreleased", "the date of the release"),
        ("pyproject.toml", '"0.1.0"', '"0.2.0"', "than pyproject.toml (0.2.0)"),
    ],
)
def test_another_version_is_named(
    project: Path, name: str, old: str, new: str, problem: str
) -> None:
    file = project / name
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    _commit(project)
    code, printed = _facts(project)
    assert code == 1
    assert problem in printed


def test_uncommitted_changes_and_a_used_version_are_named(project: Path) -> None:
    _git(project, "tag", "v0.1.0")
    (project / "more.txt").write_text("more", "utf-8")
    code, printed = _facts(project)
    assert code == 1
    assert "changes that are not committed" in printed
    assert "the tag v0.1.0 exists" in printed
