"""Publish corrections: DVC runs the stages that depend on them, in a process of its own."""

import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import likewise
from likewise.errors import LikewiseError
from likewise.web.answers import RefusedError
from likewise.web.jobs import Progress

_MOST_LINE = 500
"""Longest line of a log in characters."""

_OPTIONS = ("repro", "--allow-missing", "--downstream")
"""Run a stage and those that depend on it: corrections train no model and embed nothing."""


def command(dataset: str) -> list[str]:
    """Return the command that publishes a data set and scores its runs."""
    return ["dvc", *_OPTIONS, f"publish@{dataset}"]


def publish(
    workspace: str | None,
    dataset: str,
    progress: Progress,
    on_close: Callable[[Callable[[], object]], None],
) -> dict[str, Any]:
    """Publish a data set, and return the first metric of its runs before and after.

    Args:
        workspace: a folder in the catalogue; None for the current one.
        dataset: name of a data set of params.yaml.
        progress: receives every line that DVC and the stages print.
        on_close: receives a function that ends the process.

    Raises:
        RefusedError: DVC failed; the reason is the last line that it printed.
    """
    root = likewise.open(workspace=workspace).root
    before = _numbers(workspace, dataset)
    progress(None, f"$ {' '.join(command(dataset))}")
    last = ""
    with _started(root, dataset) as process:
        on_close(lambda: interrupt(process))
        for line in process.stdout or ():
            for part in filter(None, map(_printable, line.split("\r"))):
                progress(None, part)
                last = last if last.startswith("ERROR") else part
    if process.returncode:
        what = f"publishing has failed: {last or f'exit code {process.returncode}'}"
        raise RefusedError(422, "PublishFailed", what, next_step=" ".join(command(dataset)))
    after = _numbers(workspace, dataset)
    runs = [
        {"run": run, "metric": metric, "before": before.get(run, ("", None))[1], "after": value}
        for run, (metric, value) in after.items()
    ]
    return {"runs": runs}


def no_job() -> RefusedError:
    """Return the error for a job that is not known."""
    return RefusedError(404, "UnknownJob", "there is no such job; it is of another server")


def interrupt(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Interrupt DVC and the stage that it runs, as Ctrl-C does."""
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGINT)


def _started(root: Path, dataset: str) -> "subprocess.Popen[str]":
    """Start DVC of this installation; the stages find this installation's likewise."""
    words = [sys.executable, "-P", "-m", *command(dataset)]
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    return subprocess.Popen(  # noqa: S603 (no shell; a known name is the only text)
        words,
        cwd=root,
        env={
            **os.environ,
            "PATH": os.pathsep.join(folders),
            "PYTHONSAFEPATH": "1",  # modules in the catalogue's folder are not imported
            "PYTHONUNBUFFERED": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _printable(line: str) -> str:
    """Return a line without control characters, not too long."""
    plain = "".join(c for c in line if unicodedata.category(c) != "Cc").rstrip()
    return plain[:_MOST_LINE]


def _numbers(workspace: str | None, dataset: str) -> dict[str, tuple[str, float | None]]:
    """Return the first metric of the runs of a data set that are scored."""
    try:
        runs = likewise.show(dataset, workspace=workspace).runs
    except LikewiseError:
        return {}
    first = ((run.run, next(iter((run.metrics or {}).items()), None)) for run in runs)
    return {run: pair for run, pair in first if pair is not None}
