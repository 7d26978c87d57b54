"""Commands without the seconds in which they load their libraries: likewise, dvc and python.

A server loads them once for a run of tests. A command is a fork of it, with the arguments, the
folder, the environment and the streams that a shell gives it, and ends as the fork does. A test
that kills a command from outside, or checks how it starts, needs a process of its own instead.

A fork copies the memory of its server page by page, most of which belongs to torch. Commands
that need no torch are forked from a second server, which has not loaded it.
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
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import coverage

HEAVY = (
    *("attention", "check", "embed", "evaluate", "index", "load", "map", "plot-map", "report"),
    *("search", "serve", "site", "suspects", "train", "tune"),
)
"""Commands of likewise that may load models or indexes."""

CALL = f"""\
import json, os, socket, sys
folder, *words = sys.argv[1:]
command = words[3:] if words[:4] == ["python", "-P", "-m", "likewise"] else words
light = command[0] in ("dvc", "likewise") and not {{*{HEAVY}}} & {{*command}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect(folder + ("/light" if light else "/whole"))
    request = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(request)
    code = server.recv(16)
if not code:
    os.kill(os.getpid(), 9)
sys.exit(int(code))
"""
"""Asks a server for a command, and ends as it does; one that gives no code was killed."""

LIGHT = (
    "configobj",
    "coverage",
    "dulwich.ignore",
    "dulwich.index",
    "dulwich.worktree",
    "dvc.analytics",
    "dvc.cachemgr",
    "dvc.data_cloud",
    "dvc.dirs",
    "dvc.lock",
    "dvc.repo.artifacts",
    "dvc.repo.datasets",
    "dvc.repo.graph",
    "dvc.repo.index",
    "dvc.repo.metrics",
    "dvc.repo.open_repo",
    "dvc.repo.params",
    "dvc.repo.plots",
    "dvc.repo.push",
    "dvc.repo.reproduce",
    "dvc.repo.stage",
    "dvc.repo.trie",
    "dvc.rwlock",
    "dvc.scm",
    "dvc.stage.cache",
    "dvc.utils.strictyaml",
    "dvc_data.hashfile.status",
    "dvc_data.index",
    "fsspec.implementations.memory",
    "lance",
    "networkx",
    "psutil",
    "pyarrow.parquet",
    "pygit2",
    "pyparsing",
    "s3fs",
    "sqlite3",
    "sshfs",
)
"""Modules that commands without torch, or the coverage of them, import where they need them."""

LOADED = (
    *LIGHT,
    "accelerate",
    "dvclive",
    "numba",
    "pytorch_metric_learning.losses",
    "pytorch_metric_learning.miners",
    "scipy.stats",
    "sklearn.neighbors",
    "torch._dynamo",
    "torch.distributed.fsdp",
)
"""Modules that commands import only where they need them."""

PROGRAMS = Path(sys.executable).parent
"""The folder of the installed programs."""

MEASURED = "LIKEWISE_TESTS_COVERAGE"
"""Variable with the configuration of coverage: these commands are measured by it.

Stages of DVC are not: their verbs have tests of their own.
"""

UNMEASURED = "LIKEWISE_TESTS_UNMEASURED"
"""Variable by which these commands are not measured."""

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
        if not (folder / "whole").exists():
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
    """Load the libraries; two children run commands until the run of tests has ended."""
    for name in ("likewise", "dvc", "python"):
        words = shlex.join([sys.executable, "-ISc", CALL, str(folder), name])
        (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    gc.disable()
    for load, address in ((_load_light, "light"), (_load_whole, "whole")):
        load()
        gc.freeze()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / address))
            listener.listen()
            if not os.fork():
                _answer_calls(listener, run_of_tests)
                shutil.rmtree(folder, ignore_errors=True)  # one of the two is too late
                os._exit(0)
    os._exit(0)  # commands can be called from now on


def _answer_calls(listener: socket.socket, run_of_tests: int) -> None:
    gc.enable()
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
    if MEASURED in os.environ and not {UNMEASURED, "DVC_STAGE"} & set(os.environ):
        _measure(_coverage(os.environ[MEASURED]))
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


@functools.cache
def _coverage(configuration: str) -> "coverage.Coverage":
    """Prepare a measurement of commands; the server has done so before a command is forked.

    It does not search the package for files that are not executed: the test run does that once.
    """
    import coverage

    import likewise

    prepared = coverage.Coverage(config_file=f":data:{configuration}")
    prepared.set_option("run:source_pkgs", [])
    prepared.set_option("run:include", [f"{Path(likewise.__file__).parent}/*"])
    prepared.start()
    prepared.stop()
    return prepared


def _measure(prepared: "coverage.Coverage") -> None:
    """Measure the coverage of this process, but not of programs that it starts."""

    def save() -> None:
        prepared.stop()
        prepared.save()

    atexit.register(save)
    prepared.start()


def load_libraries(*further: str) -> None:
    """Load the libraries that commands use late, and ``further`` ones; nothing of them runs."""
    _import((*LOADED, *further))


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)


def _import_package(name: str, without: str = "__main__") -> None:
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
        if without not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _load_light() -> None:
    """Load what commands without torch load; nothing of it runs, so a fork loses no thread."""
    import likewise

    for name in likewise.__all__:
        getattr(likewise, name)
    _import_package("likewise", without="likewise.models.")
    _import(LIGHT)
    from dvc.cli.parser import get_main_parser

    get_main_parser()
    # DVC has wrapped the streams, which only its own command does in a process of its own.
    colorama = importlib.import_module("colorama")
    colorama.deinit()
    atexit.unregister(colorama.initialise.reset_all)
    if MEASURED in os.environ:
        _coverage(os.environ[MEASURED])


def _load_whole() -> None:
    """Load what all other commands load; nothing of that has run either."""
    _import_package("likewise")
    load_libraries()
    # They would free operators of torch one by one, at the end of each command.
    for finalizer in weakref.finalize._registry:  # type: ignore[attr-defined]
        finalizer.atexit = False


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
