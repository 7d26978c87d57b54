"""Runs cases in forked processes with a bound on time and memory, and judges what they did."""

import contextlib
import io
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.case import Case
from fuzz.hostile import OUTSIDE

SECONDS, MEMORY = 20, 2 * 10**9
"""Bounds of one command: seconds of the processor, and bytes of resident memory."""

PATIENCE_SECONDS = 300
"""Bound of the time until a command ends, also on a machine that is busy with other work."""

_ADDRESSES = 24 * 2**30
"""Bytes of addresses that a command may map, so that a fault cannot take the whole machine."""

CODES = {0, 1, 2, 3, 4, 5, 6}
"""The documented exit codes."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@dataclass
class Outcome:
    """Exit codes, greatest time and memory, and faults of one case."""

    codes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    memory: int = 0
    faults: list[str] = field(default_factory=list)


def run_case(case: Case, folder: Path, catalogue: Path) -> Outcome:
    """Run ``case`` in ``folder``, which is made; ``catalogue`` is the complete catalogue."""
    outside, workspace = folder / "outside", folder / "a" / "b" / "workspace"
    (outside / "home").mkdir(parents=True)
    (outside / "kept.txt").write_text("kept", "utf-8")
    workspace.parent.mkdir(parents=True)
    if case.whole:
        shutil.copytree(catalogue, workspace, symlinks=True)
    else:
        workspace.mkdir()
        (workspace / "catalog").mkdir()
    case.write(workspace, outside)
    if case.edit is not None:
        os.waitpid(_fork_edit(case, workspace), 0)
    before, outcome = _listing(folder, workspace), Outcome()
    for words in case.commands:
        placed = [word.replace(OUTSIDE, str(outside)) for word in words]
        _run(placed, folder, workspace, outcome)
    if (after := _listing(folder, workspace)) != before:
        changed = sorted(set(after.items()) ^ set(before.items()))
        outcome.faults.append(f"outside the workspace: {changed[:5]}")
    return outcome


def _fork_edit(case: Case, workspace: Path) -> int:
    if child := os.fork():
        return child
    with contextlib.suppress(BaseException):
        assert case.edit is not None
        case.edit(workspace)
    os._exit(0)


def _listing(folder: Path, workspace: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file in ``folder`` that is not in ``workspace``."""
    found = {}
    for top, folders, files in os.walk(folder):
        if Path(top) == workspace.parent:
            folders[:] = [name for name in folders if name != workspace.name]
        folders[:] = [name for name in folders if name not in ("matplotlib", "state")]
        for name in files:
            if (path := Path(top, name)).parent != folder:
                status = path.lstat()
                found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found


def _run(words: list[str], folder: Path, workspace: Path, outcome: Outcome) -> None:
    start = time.monotonic()
    child = os.fork()
    if not child:
        _become_command(words, folder, workspace)
    status, usage, late = _wait(child, start)
    outcome.seconds = max(outcome.seconds, usage.ru_utime + usage.ru_stime)
    outcome.memory = max(outcome.memory, usage.ru_maxrss * 1024)
    outcome.codes.append(os.waitstatus_to_exitcode(status))
    outcome.faults += [
        f"{' '.join(map(ascii, words))}: {fault}"
        for fault in _faults(status, usage, late, folder)
    ]


def _wait(child: int, start: float) -> tuple[int, resource.struct_rusage, bool]:
    """Wait for ``child``, and kill it at the bound of time."""
    late, pause = False, 0.002
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return status, usage, late
        if not late and time.monotonic() - start > PATIENCE_SECONDS:
            os.killpg(child, signal.SIGKILL)
            late = True
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _faults(status: int, usage: resource.struct_rusage, late: bool, folder: Path) -> list[str]:
    code = os.waitstatus_to_exitcode(status)
    errors = (folder / "stderr").read_text("utf-8", "replace")
    text = (folder / "stdout").read_text("utf-8", "replace") + errors
    faults = []
    if late:
        faults.append(f"no end after {PATIENCE_SECONDS} s")
    elif usage.ru_utime + usage.ru_stime > SECONDS:
        faults.append(f"more than {SECONDS} s of the processor")
    elif code not in CODES:
        faults.append(f"exit code {code}: {errors[-300:]!r}")
    if "Traceback (most recent call last)" in errors:
        faults.append(f"traceback: {errors[-700:]}")
    if usage.ru_maxrss * 1024 > MEMORY:
        faults.append(f"{usage.ru_maxrss * 1024 / 1e9:.1f} GB of memory")
    if found := _CONTROL.search(text):
        around = text[max(found.start() - 60, 0) : found.start() + 20]
        faults.append(f"a control character in the output: {around!r}")
    return faults


def _become_command(words: list[str], folder: Path, workspace: Path) -> None:
    """Run likewise with these arguments in this process, and end the process."""
    code = 1
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(workspace)
        os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib")
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        os.environ["HOME"] = str(folder / "outside" / "home")
        for stream, number in (("stdout", 1), ("stderr", 2)):
            file = os.open(folder / stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0), "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0), "utf-8", write_through=True)
        sys.argv = ["likewise", *words]
        from likewise.cli.app import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (what the interpreter would print)
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(code)
