"""Run git and dvc as commands; a failure becomes an error of one line."""

import subprocess
import sys
from pathlib import Path

from likewise.errors import VersionError


def run_dvc(root: Path, *args: str) -> str:
    """Run a dvc command and return its output.

    Raises:
        VersionError: it failed; the text holds its last lines.
    """
    return _run([sys.executable, "-m", "dvc", *args], root).decode(errors="replace")


def run_git(root: Path, *args: str) -> str:
    """Run a git command and return its output.

    Raises:
        VersionError: it failed, or git is not installed.
    """
    return git_bytes(root, *args).decode(errors="replace")


def git_bytes(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    """Run a git command with ``stdin`` as input and return its output as bytes."""
    return _run(["git", *args], root, stdin)


def _run(command: list[str], root: Path, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
            command, cwd=root, capture_output=True, check=False, input=stdin
        )
    except FileNotFoundError as error:
        raise VersionError(
            f"{command[0]} is not installed; install it and try again"
        ) from error
    if done.returncode:
        reason = _reason((done.stderr or done.stdout).decode(errors="replace"))
        raise VersionError(f"{' '.join(_short_command(command))} failed: {reason}")
    return done.stdout


def _short_command(command: list[str]) -> list[str]:
    """Return the first words of a command; its list of paths may be long."""
    words = ["dvc", *command[3:]] if command[1:3] == ["-m", "dvc"] else command
    return [*words[:3], "..."] if len(words) > 4 else words


def _reason(text: str) -> str:
    """Return the errors or the last lines of a command's output, and the remedies in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "fatal:", "error:"))]
    helps = [f"run: {line}" for line in lines if line.startswith("git config --global")]
    return "; ".join([" / ".join(errors[:3] or lines[-3:]), *helps])
