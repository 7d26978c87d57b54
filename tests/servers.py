"""Servers in processes of their own, and commands that are killed while they run."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # DVC brings it
import pytest

import forked
from likewise.errors import VersionError

PATIENCE_SECONDS = 60

Begun = Callable[[], bool]
"""Whether the work that is to be interrupted has begun."""


class Server:
    """A server on this machine, which can be killed and started again at the same port."""

    def __init__(self, *command: object, env: Mapping[str, str] | None = None) -> None:
        """Choose a port, which stands for PORT in the ``command``; nothing is started."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._command = [str(word).replace("PORT", str(self.port)) for word in command]
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
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
        """End it, and what serves the present connections, on the spot."""
        if self._process:
            kill(self._process.pid)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0


def until(holds: Begun, what: str) -> None:
    """Wait until it ``holds``."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.001)


def kill(process: int) -> None:
    """Kill a process and all below it."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(process)
        for one in (*top.children(recursive=True), top):
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)


def die_at_rename(deadly: int) -> Callable[[], int]:
    """Have this process kill itself at its n-th rename of ``.likewise``; how many are left."""
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
"""The same for a program that is given to Python as a text."""


def settle(root: Path, remote: str, **options: object) -> None:
    """Write what this checkout alone says of a remote, as ``dvc remote modify --local``."""
    lines = [f"['remote \"{remote}\"']", *(f"    {k} = {v}" for k, v in options.items())]
    (root / ".dvc" / "config.local").write_text("\n".join(lines) + "\n", encoding="utf-8")


def refusal(verb: Callable[..., object], root: Path) -> str:
    """The one line in which a verb says that it cannot do its work with a remote."""
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
    """A command, ``likewise`` or ``dvc``, in a process of its own."""

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
        """Have it fail by what one ``does`` once its work has begun; what it says then."""
        until(lambda: begun() or self._process.poll() is not None, "it begins")
        does()
        return self.fails()

    def ends(self) -> str:
        """Wait for it to end well; what it prints."""
        printed, said = self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == 0, said
        return printed

    def fails(self, code: int = 6) -> str:
        """Wait for it to fail with that exit code; the one line that it says."""
        _, said = self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == code, said
        assert len(said.splitlines()) == 1, said
        return said.rstrip()
