"""Run git and dvc as a person would; what they say of a failure becomes one line."""

import subprocess
import sys
from pathlib import Path

from likewise.errors import VersionError


def run_dvc(root: Path, *args: str) -> str:
    """What the dvc command prints.

    Raises:
        VersionError: it failed; the last lines of what it said.
    """
    return _run([sys.executable, "-m", "dvc", *args], root).decode(errors="replace")


def run_git(root: Path, *args: str) -> str:
    """What the git command prints.

    Raises:
        VersionError: it failed, or git is not installed.
    """
    return git_bytes(root, *args).decode(errors="replace")


def git_bytes(root: Path, *args: str, given: bytes = b"") -> bytes:
    """The same, as it is: an archive, a file that is no text; it is ``given`` this to read."""
    return _run(["git", *args], root, given)


def _run(command: list[str], root: Path, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the words are ours)
            command, cwd=root, capture_output=True, check=False, input=given
        )
    except FileNotFoundError as error:
        raise VersionError(
            f"{command[0]} is not installed; install it and try again"
        ) from error
    if done.returncode:
        said = _reason((done.stderr or done.stdout).decode(errors="replace"))
        raise VersionError(f"{' '.join(_shown(command))} failed: {said}")
    return done.stdout


def _shown(command: list[str]) -> list[str]:
    """The words of a command that tell it apart; a list of paths may be long."""
    words = ["dvc", *command[3:]] if command[1:3] == ["-m", "dvc"] else command
    return [*words[:3], "..."] if len(words) > 4 else words


def _reason(text: str) -> str:
    """What a command says of its failure, its errors or the last lines, and of what helps."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "fatal:", "error:"))]
    helps = [f"run: {line}" for line in lines if line.startswith("git config --global")]
    return "; ".join([" / ".join(errors[:3] or lines[-3:]), *helps])
