"""Commands without the seconds in which they load their libraries: likewise, dvc and python.

A server loads them once for a run of tests. A command is a fork of it, with the arguments, the
folder, the environment and the streams that a shell gives it, and ends as the fork does. A test
that kills a command from outside, or checks how it starts, needs a process of its own instead.
"""

import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from pathlib import Path

CALL = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    request = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(request)
    code = server.recv(16)
if not code:
    os.kill(os.getpid(), 9)
sys.exit(int(code))
"""
"""Asks the server for a command, and ends as it does; one that gives no code was killed."""

LOADED = (
    "accelerate",
    "coverage",
    "dvc.analytics",
    "dvc.data_cloud",
    "dvc.repo.index",
    "dvc.repo.push",
    "dvc.repo.reproduce",
    "dvc.stage.cache",
    "dvc_data.index",
    "dvclive",
    "lance",
    "networkx",
    "numba",
    "pyarrow.parquet",
    "pygit2",
    "pytorch_metric_learning.losses",
    "pytorch_metric_learning.miners",
    "s3fs",
    "scipy.stats",
    "sklearn.neighbors",
    "sqlite3",
    "sshfs",
    "torch._dynamo",
    "torch.distributed.fsdp",
)
"""Modules that the commands, and the coverage of them, import only where they need them."""

PROGRAMS = Path(sys.executable).parent
"""The folder of the installed programs."""

MEASURED = "LIKEWISE_TESTS_COVERAGE"
"""Variable with the configuration of coverage: these commands are measured by it.

Stages of DVC are not: their verbs have tests of their own.
"""

PROGRAMS_MEASURED = "COVERAGE_PROCESS_CONFIG"
"""Variable by which coverage measures any process of Python from its start."""

PATIENCE_SECONDS = 1
"""Interval at which the server checks that the test run is still active, in seconds."""


def run(root: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program in ``root`` for which likewise, dvc and python are these commands."""
    return subprocess.run(
        words,
        cwd=root,
        env={**os.environ, **environment, "PATH": search_path()},
        capture_output=True,
        text=True,
        check=False,
    )


def run_dvc(root: Path, *words: str) -> str:
    """Run a dvc command, and return its output."""
    done = run(root, "dvc", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def search_path() -> str:
    """Return the folders of programs, of which the first holds these commands."""
    return os.pathsep.join((str(_server()), str(PROGRAMS), os.environ["PATH"]))


def python() -> str:
    """Return the path of a Python interpreter whose processes are forks."""
    return str(_server() / "python")


@functools.cache
def _server() -> Path:
    """Start the server, unless another worker has; the folder of its commands."""
    worker = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = Path(tempfile.gettempdir(), f"likewise-{worker or os.getpid()}")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "socket").exists():
            run_of_tests = os.getppid() if worker else os.getpid()
            started = subprocess.run(
                [sys.executable, __file__, str(folder), str(run_of_tests)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # pipes, as the streams of commands
                start_new_session=True,
                check=False,
            )
            assert started.returncode == 0, started.stdout.decode()
    return folder


def _serve(folder: Path, run_of_tests: int) -> None:
    """Load the libraries; a child runs commands until the run of tests has ended."""
    _load()
    address = folder / "socket"
    for name in ("likewise", "dvc", "python"):
        words = shlex.join([sys.executable, "-ISc", CALL, str(address), name])
        (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        if os.fork():
            os._exit(0)  # it can be called from now on
        for stream in (1, 2):
            os.dup2(0, stream)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while _lives(run_of_tests):
            if select.select([listener], [], [], PATIENCE_SECONDS)[0]:
                call, _ = listener.accept()
                with warnings.catch_warnings():
                    # What lance warns of at a fork has not begun: none of it has run here.
                    warnings.simplefilter("ignore")
                    child = os.fork()
                if not child:
                    listener.detach()
                    _answer(call)
                call.close()
    shutil.rmtree(folder)
    os._exit(0)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _answer(call: socket.socket) -> None:
    """Become the command that a connection asks for; its exit code is the answer."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(call, 4, 3)
    with call.makefile("rb") as file:
        words, root, environment = json.loads(file.read(int.from_bytes(head, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr]
    code = _ended(*words)
    call.sendall(str(code).encode())
    os._exit(code)


def _ended(*words: str) -> int:
    """Run a command and what it leaves for the exit; its exit code."""
    code: object = 1
    try:
        code = _command(*words)
    except SystemExit as end:
        code = 0 if end.code is None else end.code
        if not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    except BaseException:  # noqa: BLE001 (as the interpreter does)
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # ends executors, and waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1


def _command(name: str, *words: str) -> int:
    """Do what a command does; its exit code."""
    if words[:1] == ("-P",):  # the folders of modules are known already
        words = words[1:]
    sys.argv = [name, *words]
    if name == "dvc":  # of which no coverage is measured
        from dvc.cli import main as dvc

        importlib.import_module("colorama").init()
        return int(dvc(list(words)))
    if MEASURED in os.environ and "DVC_STAGE" not in os.environ:
        _measure()
    if name == "likewise":
        from likewise.cli.app import main as likewise

        likewise()
    elif words[0] not in ("-c", "-m"):
        sys.argv = list(words)
        sys.path[0] = str(Path(words[0]).parent)
        runpy.run_path(words[0], run_name="__main__")
    elif words[0] == "-m":
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *words[2:]]
        sys.path[0] = ""
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    return 0


def _measure() -> None:
    """Measure the coverage of this process, but not of programs that it starts."""
    import coverage

    os.environ[PROGRAMS_MEASURED] = os.environ[MEASURED]
    coverage.process_startup()
    del os.environ[PROGRAMS_MEASURED]


def load_libraries(*further: str) -> None:
    """Load the libraries that commands use late, and ``further`` ones; nothing of them runs."""
    for name in (*LOADED, *further):
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)


def _load() -> None:
    """Load what the commands load; nothing of it has run, so no thread is lost in a fork."""
    gc.disable()
    import likewise

    for name in likewise.__all__:
        getattr(likewise, name)
    for module in pkgutil.walk_packages(likewise.__path__, "likewise."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    load_libraries()
    from dvc.cli.parser import get_main_parser

    get_main_parser()
    # DVC has wrapped the streams, which only its own command does in a process of its own.
    colorama = importlib.import_module("colorama")
    colorama.deinit()
    atexit.unregister(colorama.initialise.reset_all)
    gc.enable()
    gc.freeze()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
