"""Shared tools of the benchmarks: cost of a child process, fair rounds, the printed table.

A ratio is shown only for two figures that were measured in the same run, in turn. This module
imports little: on Linux the peak memory of a child starts at the memory of its parent.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LIKEWISE = str(BIN / "likewise")
DVC = str(BIN / "dvc")
_COLUMNS = ("what", "ours", "peer", "ratio", "target", "verdict")
_MET = {True: "met", False: "MISSED"}
_SAMPLE_S = 0.05
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """The cost of a command: wall time, peak memory of its largest process, output."""

    seconds: float
    rss_mb: float
    output: str


def run(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run a command to its end and return its cost.

    Raises:
        SystemExit: the command failed; the message is the end of its output.
    """
    cost, _ = _watched(command, cwd, env, lambda _: None)
    return cost


def together(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """Return the peak MB of the largest process of a command, and of all its processes.

    The second figure is sampled. It counts pages that processes share once per process, so it
    is an upper bound.
    """
    cost, peak = _watched(command, cwd, env, _resident)
    return cost.rss_mb, max(peak / 1e6, cost.rss_mb)


def medians(parts: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each part; the parts run in turn.

    A part prepares its input and returns only the time of the measured work.
    """
    seen: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds):
        for name, part in parts.items():
            seen[name].append(part())
            said = f"  round {number + 1} of {rounds}: {name}: {seen[name][-1]:.3f} s"
            print(said, file=sys.stderr, flush=True)
    return {name: median(values) for name, values in seen.items()}


class Table:
    """The rows of a benchmark, printed as a Markdown table that is also readable as text."""

    def __init__(self, title: str, *, small: bool) -> None:
        """Set the title; with ``small`` inputs no target is judged."""
        self._title = title
        self._small = small
        self._rows: list[tuple[str, ...]] = []

    def at_most(
        self, what: str, ours: float, peer: float, most: float | None, unit: str = "s"
    ) -> None:
        """Add a row: our figure should be at most ``most`` times the peer's."""
        ratio = ours / peer
        target = "" if most is None else f"<= {most:g} x"
        verdict = "" if most is None else self._verdict(met=ratio <= most)
        shown = f"{ratio:.2f} x" if ratio >= 0.1 else f"{ratio:.4f} x"
        self._add(what, show(ours, unit), show(peer, unit), shown, target, verdict)

    def faster(
        self,
        what: str,
        ours: float,
        peer: float,
        least: float | None,
        ratio: float | None = None,
    ) -> None:
        """Add a row: we (seconds) should be at least ``least`` times as fast as the peer.

        ``ratio`` is the median of the ratios of the rounds, if known. It is fairer on a busy
        machine, because load slows both parts of a round.
        """
        ratio = peer / ours if ratio is None else ratio
        target = "" if least is None else f">= {least:g} x faster"
        verdict = "" if least is None else self._verdict(met=ratio >= least)
        self._add(what, show(ours), show(peer), f"{ratio:.2f} x faster", target, verdict)

    def below(
        self, what: str, ours: float, most: float, unit: str = "s", peer: float | None = None
    ) -> None:
        """Add a row: our figure should be below ``most``; the peer's figure has no target."""
        peer_value = "" if peer is None else show(peer, unit)
        ratio = "" if peer is None else f"{ours / peer:.2f} x"
        verdict = self._verdict(met=ours < most)
        self._add(what, show(ours, unit), peer_value, ratio, f"< {most:g} {unit}", verdict)

    def holds(self, what: str, answer: str, target: str, *, met: bool) -> None:
        """Add a row: a fact that must be true for inputs of any size."""
        self._add(what, answer, "", "", target, _MET[met])

    def share(self, what: str, ours: float, peer: float, target: str, *, met: bool) -> None:
        """Add a row: a share of draws that must be within bounds; the peer's for comparison."""
        shares = (f"{100 * value:.1f} %" for value in (ours, peer))
        self._add(what, *shares, f"{ours / peer:.2f} x", target, self._verdict(met=met))

    def score(
        self, what: str, ours: float, peer: float, target: str = "", *, met: bool = True
    ) -> None:
        """Add a row: a score from 0 to 1 and the peer's, with an optional target."""
        verdict = self._verdict(met=met) if target else ""
        self._add(what, f"{ours:.3f}", f"{peer:.3f}", f"{ours / peer:.2f} x", target, verdict)

    def note(self, what: str, ours: str, peer: str = "") -> None:
        """Add a row: a figure without a target."""
        self._add(what, ours, peer, "", "", "")

    def print(self) -> None:
        """Print the table to stdout."""
        rows = [_COLUMNS, *self._rows]
        widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
            for row in rows
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        print(f"{self._title}\n")
        print("\n".join(lines), end="\n\n", flush=True)

    def _verdict(self, *, met: bool) -> str:
        return "not judged" if self._small else _MET[met]

    def _add(self, *cells: str) -> None:
        self._rows.append(cells)
        print("  " + " | ".join(filter(None, cells)), file=sys.stderr, flush=True)


def show(value: float, unit: str = "s") -> str:
    """Format a figure with three digits: ``1.23 s``, ``45.6 MB``, ``789 images/s``."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def peak() -> str:
    """Return the peak memory of this process: of the GPU if there is one."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e6:,.0f} MB of the GPU"
    import resource

    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6:,.0f} MB"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the argument parser of a benchmark, with ``--small``."""
    made = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    made.add_argument("--small", action="store_true", help="little data, one round, no verdict")
    return made


def _watched(
    command: Sequence[object],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    look: Callable[[int], int | None],
) -> tuple[Cost, int]:
    """Run ``command``; also return the maximum of ``look`` of its process id, sampled."""
    words = [str(word) for word in command]
    ended, peak = threading.Event(), [0]

    def watch(pid: int) -> None:
        while (value := look(pid)) is not None and not ended.wait(_SAMPLE_S):
            peak[0] = max(peak[0], value)

    os.sync()  # flush earlier writes now, so that this command does not wait for them
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        watcher = threading.Thread(target=watch, args=(child.pid,))
        watcher.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        said.seek(0)
        output = said.read().decode(errors="replace")
    if child.returncode:
        tail = "\n".join(output.splitlines()[-15:])
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}:\n{tail}")
    return Cost(seconds, usage.ru_maxrss * _RSS_UNIT / 1e6, output), peak[0]


def _resident(pid: int) -> int | None:
    """Return the resident bytes of a process and its descendants; None if it has ended."""
    import psutil  # type: ignore[import-untyped]  # a dependency of DVC

    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    total = 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
