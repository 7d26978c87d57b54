"""Run git; a failure becomes an error of one line."""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from likewise.errors import VersionError

BEAT_SECONDS = 0.1


class Watch(NamedTuple):
    """The facts by which another process sees whether a git command still runs.

    Attributes:
        descriptor: an open file with a lock; git and its child processes inherit it, so the
            lock is held until all of them have ended.
        beat: called when git has started, and then every ``BEAT_SECONDS``.
    """

    descriptor: int
    beat: Callable[[], None]


def run_git(root: Path, *args: str, watch: Watch | None = None) -> str:
    """Run a git command and return its output.

    Raises:
        VersionError: the command failed, or git is not installed.
    """
    return git_bytes(root, *args, watch=watch).decode(errors="replace")


def git_bytes(root: Path, *args: str, stdin: bytes = b"", watch: Watch | None = None) -> bytes:
    """Run a git command with ``stdin`` as input and return its output as bytes."""
    command = ["git", *args]
    try:
        with subprocess.Popen(  # noqa: S603 (no shell; the arguments are ours)
            command,
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            pass_fds=() if watch is None else (watch.descriptor,),
        ) as process:
            output, errors = _communicate(process, stdin, watch)
    except FileNotFoundError as error:
        raise VersionError("git is not installed; install it and try again") from error
    if process.returncode:
        short = [*command[:3], "..."] if len(command) > 4 else command
        reason = _reason((errors or output).decode(errors="replace"))
        raise VersionError(f"{' '.join(short)} failed: {reason}")
    return output


def _communicate(
    process: "subprocess.Popen[bytes]", stdin: bytes, watch: Watch | None
) -> tuple[bytes, bytes]:
    """Return the output and the errors of a process; kill it if this one is interrupted."""
    try:
        while True:
            if watch:
                watch.beat()
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(stdin, BEAT_SECONDS if watch else None)
    except BaseException:
        process.kill()
        raise


def _environment() -> dict[str, str]:
    """Return an environment in which git takes no folder for a bare repository by its files.

    A clone can contain such a folder, with a configuration that names commands.
    """
    number = os.environ.get("GIT_CONFIG_COUNT", "")
    count = int(number) if number.isdigit() else 0
    return {
        **os.environ,
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": "safe.bareRepository",
        f"GIT_CONFIG_VALUE_{count}": "explicit",
    }


def _reason(text: str) -> str:
    """Return the errors or the last lines of a command's output, and the remedies in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "fatal:", "error:"))]
    helps = [f"run: {line}" for line in lines if line.startswith("git config --global")]
    return "; ".join([" / ".join(errors[:3] or lines[-3:]), *helps])
