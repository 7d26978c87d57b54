"""Servers in separate processes, and commands that are killed while they run."""

import inspect
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # a dependency of DVC
import pytest

import forked
from likewise.errors import VersionError

PATIENCE_SECONDS = 60

Begun = Callable[[], bool]
"""Returns True once the work that a test interrupts has begun."""


class Server:
    """A local server that can be killed and started again on the same port."""

    def __init__(self, *command: object, env: Mapping[str, str] | None = None) -> None:
        """Choose a port, which replaces PORT in ``command``; start nothing."""
        self.port = free_port()
        self._command = [str(word).replace("PORT", str(self.port)) for word in command]
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it if it does not run, and wait until it answers."""
        if self._process:
            return
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, "the server answers")

    def kill(self) -> None:
        """Kill it and its connections immediately."""
        if self._process:
            kill(self._process.pid)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """A port that no connection of another test is given before the server listens.

    The system gives ports above 32,767 to connections and to listeners that ask for any port.
    """
    while True:
        port = random.SystemRandom().randrange(16_384, 32_768)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def until(holds: Begun, what: str) -> None:
    """Wait until ``holds`` returns True."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.001)


def kill(process: int) -> None:
    """Kill a process and its descendants."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(process)
        for one in (*top.children(recursive=True), top):
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)


def die_at_rename(deadly: int) -> Callable[[], int]:
    """Make this process kill itself at rename ``n`` of ``.likewise``; return renames left."""
    left = deadly

    def count(event: str, paths: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.rename" and "/.likewise/" in str(paths[:2]):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    return lambda: left


DIE_AT_RENAME = f"""\
import os, signal, sys
from collections.abc import Callable
{inspect.getsource(die_at_rename)}
"""
"""The command for a Python program that is given as text."""


def settle(root: Path, remote: str, **options: object) -> None:
    """Write local settings of a remote, as ``dvc remote modify --local`` does."""
    lines = [f"['remote \"{remote}\"']", *(f"    {k} = {v}" for k, v in options.items())]
    (root / ".dvc" / "config.local").write_text("\n".join(lines) + "\n", encoding="utf-8")


def refusal(verb: Callable[..., object], root: Path) -> str:
    """Return the one-line error of a verb that cannot work with a remote."""
    with pytest.raises(VersionError) as caught:
        verb(workspace=root)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


def refused(root: Path, *words: str) -> str:
    """The one line that likewise says when it cannot do its work with a remote."""
    done = forked.run(root, "likewise", *words)
    assert done.returncode == VersionError.exit_code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.rstrip()


class Command:
    """A command, ``likewise`` or ``dvc``, in its own process."""

    def __init__(self, root: Path, *words: str, program: str = "likewise") -> None:
        """Start it in ``root``."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", program, *words],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_when(self, begun: Begun) -> None:
        """Kill it as soon as its work has ``begun``."""
        until(lambda: begun() or self._process.poll() is not None, "it begins")
        kill(self._process.pid)
        self._process.communicate()
        assert self._process.returncode == -signal.SIGKILL, "it had ended before"

    def fails_when(self, begun: Begun, does: Callable[[], None]) -> str:
        """Let ``does`` make it fail once its work has begun; return its error."""
        until(lambda: begun() or self._process.poll() is not None, "it begins")
        does()
        return self.fails()

    def ends(self) -> str:
        """Wait until it succeeds; return its output."""
        printed, said = self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == 0, said
        return printed

    def fails(self, code: int = 6) -> str:
        """Wait until it fails with that exit code; return its one line of error."""
        _, said = self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == code, said
        assert len(said.splitlines()) == 1, said
        return said.rstrip()
