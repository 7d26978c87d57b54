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
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        said = " / ".join(lines[-3:])
        raise VersionError(f"{' '.join(command[-3:])} failed: {said}")
    return done.stdout
