"""Metrics and curves of a training, by dvclive, and a summary of how it ran."""

import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from likewise.errors import VersionError
from likewise.formats import atomic
from likewise.formats.quiet import quiet
from likewise.storage.versions import run_git

if TYPE_CHECKING:
    from dvclive.live import Live

MADE = "made.json"


class TrainingLog:
    """Writes the files that ``dvc exp show`` and ``dvc plots`` read.

    ``metrics.json`` has the last values, and the validation scores of the epoch whose weights
    are kept. ``plots/metrics`` has one file per curve. ``made.json`` has the device and the
    hours; no other stage reads it, because it differs every time.
    """

    def __init__(self, folder: Path, *, main: bool = True) -> None:
        """Write into ``folder``; of several processes only the ``main`` one writes."""
        self._folder = folder
        self._main = main
        self._live: Live | None = None
        self.losses: list[float] = []

    @property
    def state(self) -> dict[str, Any]:
        """The losses of the current epoch and the last values, for ``resume``."""
        return {"losses": self.losses, "summary": self._live.summary if self._live else {}}

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        """Continue after ``step`` steps with the state at that step.

        Values of later steps, written by a killed process, are deleted.
        """
        self.losses = list(state["losses"])
        if self._main and step and self._folder.is_dir():
            for curve in self._folder.glob("plots/**/*.tsv"):
                _end_before(curve, step)
            # dvclive would continue with the file, which a kill leaves empty or ahead.
            (self._folder / "metrics.json").unlink(missing_ok=True)
            live = self._open(resume=True)
            live.summary, live.step = dict(state.get("summary") or {}), step - 1

    def step(self, step: int, loss: float, learning_rate: float) -> None:
        """Log the loss and the learning rate of a step."""
        self.losses.append(loss)
        if not self._main:
            return
        with atomic.writing(self._folder):
            live = self._live or self._open(resume=False)
            live.step = step
            live.log_metric("train/loss", loss)
            live.log_metric("train/lr", learning_rate, plot=False)

    def mean_loss(self) -> float:
        """Return the mean loss since the last call."""
        mean = sum(self.losses) / max(1, len(self.losses))
        self.losses = []
        return mean

    def epoch(self, row: dict[str, float]) -> None:
        """Log the scores of an epoch."""
        if not self._main or self._live is None:
            return
        names = {"epoch": "epoch", "loss": "train/epoch_loss"}
        with atomic.writing(self._folder):
            for name, value in row.items():
                self._live.log_metric(names.get(name, f"validation/{name}"), value)
            self._live.make_summary()  # type: ignore[no-untyped-call]

    def finish(self, **summary: Any) -> None:
        """Close the log, and write the summary of the training."""
        if not self._main:
            return
        with atomic.writing(self._folder):
            live = self._live or self._open(resume=False)
            _add_kept_epoch(live, summary)
            live.make_summary()  # type: ignore[no-untyped-call]
            with quiet():
                live.end()  # type: ignore[no-untyped-call]
            (self._folder / "plots").mkdir(exist_ok=True)
        text = json.dumps({**_machine(), **summary}, indent=2, sort_keys=True) + "\n"
        atomic.write_text(self._folder / MADE, text)

    def _open(self, *, resume: bool) -> "Live":
        """Open the files.

        Raises:
            VersionError: the repository has no commit yet.
        """
        from likewise.models.training.curves import Curves

        _need_commit(self._folder.parent)
        if not resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._live = Curves(str(self._folder), resume=resume)
        return self._live


def _end_before(curve: Path, step: int) -> None:
    """Delete the rows of ``step`` and later from a curve; a file without rows too."""
    head, *rows = curve.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    kept = [row for row in rows if row.endswith("\n") and int(row.split("\t", 1)[0]) < step]
    if kept:
        atomic.write_text(curve, "".join([head, *kept]))
    else:
        curve.unlink()


def _need_commit(folder: Path) -> None:
    """Refuse to train in a git repository without a commit; outside of git do nothing."""
    try:
        run_git(folder, "rev-parse", "--git-dir")
    except VersionError:
        return
    try:
        run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    except VersionError as error:
        raise VersionError(
            "git has no commit yet; the curves of a training belong to a commit, so make the "
            "first one: git add --all && git commit --message begin"
        ) from error


def _add_kept_epoch(live: "Live", summary: dict[str, Any]) -> None:
    """Set the scores for comparing experiments to those of the epoch whose weights are kept."""
    for row in summary.get("history", ()):
        if row["epoch"] == summary["best_epoch"]:
            scores = {n: value for n, value in row.items() if n not in ("epoch", "loss")}
            live.summary |= {"epoch": row["epoch"], "validation": scores}


def device_name() -> str:
    """Return the type of the processor, without host name or number."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"cpu {platform.machine()}"


def _machine() -> dict[str, Any]:
    return {"device": device_name(), "gpus": torch.cuda.device_count()}
