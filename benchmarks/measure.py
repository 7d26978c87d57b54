"""What the benchmarks share: time and memory of a child process, fair rounds, the table.

A ratio is only shown of two figures that were measured in the same run, in turn. This module
imports little: on Linux the peak memory of a child counts from its parent's at the start.
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
    """What a command cost: wall time, the peak memory of its largest process, its output."""

    seconds: float
    rss_mb: float
    output: str


def run(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run a command to its end and say what it cost.

    Raises:
        SystemExit: it failed; the end of what it said.
    """
    cost, _ = _watched(command, cwd, env, lambda _: None)
    return cost


def together(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """The peak MB of a command's largest process, and of it and all below it together.

    The second is sampled, and counts pages that processes share once for each of them: it is
    no less than what they hold.
    """
    cost, peak = _watched(command, cwd, env, _resident)
    return cost.rss_mb, max(peak / 1e6, cost.rss_mb)


def medians(parts: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of what each part returns (seconds), the parts taken in turn.

    A part prepares what it needs and times only what counts.
    """
    seen: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds):
        for name, part in parts.items():
            seen[name].append(part())
            said = f"  round {number + 1} of {rounds}: {name}: {seen[name][-1]:.3f} s"
            print(said, file=sys.stderr, flush=True)
    return {name: median(values) for name, values in seen.items()}


class Table:
    """The rows that a benchmark prints, as a Markdown table, which reads well as it is."""

    def __init__(self, title: str, *, small: bool) -> None:
        """Name it; of ``small`` inputs no target is judged."""
        self._title = title
        self._small = small
        self._rows: list[tuple[str, ...]] = []

    def at_most(
        self, what: str, ours: float, peer: float, most: float | None, unit: str = "s"
    ) -> None:
        """Ours is to be at most so many times the peer's."""
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
        """Ours (seconds) is to be at least so many times as fast as the peer's.

        ``ratio`` is the median of the rounds' own, where it is known: a machine that others
        use meanwhile is slow for both of a round.
        """
        ratio = peer / ours if ratio is None else ratio
        target = "" if least is None else f">= {least:g} x faster"
        verdict = "" if least is None else self._verdict(met=ratio >= least)
        self._add(what, show(ours), show(peer), f"{ratio:.2f} x faster", target, verdict)

    def below(
        self, what: str, ours: float, most: float, unit: str = "s", peer: float | None = None
    ) -> None:
        """Ours is to be below a figure; a peer stands beside it for comparison."""
        beside = "" if peer is None else show(peer, unit)
        ratio = "" if peer is None else f"{ours / peer:.2f} x"
        verdict = self._verdict(met=ours < most)
        self._add(what, show(ours, unit), beside, ratio, f"< {most:g} {unit}", verdict)

    def holds(self, what: str, answer: str, target: str, *, met: bool) -> None:
        """A fact with no number that is to be so, whatever the size of the inputs."""
        self._add(what, answer, "", "", target, _MET[met])

    def share(self, what: str, ours: float, peer: float, target: str, *, met: bool) -> None:
        """A share of draws that is to lie within bounds; the peer's for comparison."""
        shares = (f"{100 * value:.1f} %" for value in (ours, peer))
        self._add(what, *shares, f"{ours / peer:.2f} x", target, self._verdict(met=met))

    def score(
        self, what: str, ours: float, peer: float, target: str = "", *, met: bool = True
    ) -> None:
        """A score from 0 to 1 that is to meet a target, if there is any; the peer's beside."""
        verdict = self._verdict(met=met) if target else ""
        self._add(what, f"{ours:.3f}", f"{peer:.3f}", f"{ours / peer:.2f} x", target, verdict)

    def note(self, what: str, ours: str, peer: str = "") -> None:
        """A figure for the record, with no target."""
        self._add(what, ours, peer, "", "", "")

    def print(self) -> None:
        """Print it to stdout."""
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
    """A figure in three digits: ``1.23 s``, ``45.6 MB``, ``789 images/s``."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def peak() -> str:
    """The most memory that this process has held: the GPU's, where there is one."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e6:,.0f} MB of the GPU"
    import resource

    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 1e6:,.0f} MB"


def parser(description: str | None) -> argparse.ArgumentParser:
    """The command line of a benchmark: ``--small``."""
    made = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    made.add_argument("--small", action="store_true", help="little data, one round, no verdict")
    return made


def _watched(
    command: Sequence[object],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    look: Callable[[int], int | None],
) -> tuple[Cost, int]:
    """Run ``command``; the most that ``look`` says of its process id, now and then, is kept."""
    words = [str(word) for word in command]
    ended, peak = threading.Event(), [0]

    def watch(pid: int) -> None:
        while (value := look(pid)) is not None and not ended.wait(_SAMPLE_S):
            peak[0] = max(peak[0], value)

    os.sync()  # what was written before goes to the disk now, so that nobody pays for others
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
    """The resident bytes of a process and all below it; None once it is gone."""
    import psutil  # type: ignore[import-untyped]  # DVC brings it

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
