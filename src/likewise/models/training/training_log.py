"""What a training says of itself: dvclive's metrics and curves, and how it was made."""

import json
import platform
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from likewise.errors import VersionError

if TYPE_CHECKING:
    from dvclive.live import Live

MADE = "made.json"


class TrainingLog:
    """Writes what ``dvc exp show`` and ``dvc plots`` read into a folder.

    ``metrics.json`` holds the last values, but of the epochs' those of the weights that are
    kept; ``plots/metrics`` a curve each, ``made.json`` the device and the hours: no other stage
    reads those, for they differ every time.
    """

    def __init__(self, folder: Path, *, main: bool = True) -> None:
        """Write into ``folder``; only the ``main`` one of several processes does."""
        self._folder = folder
        self._main = main
        self._live: Live | None = None
        self.losses: list[float] = []

    def resume(self, step: int, losses: list[float]) -> None:
        """Go on after ``step`` steps, with the losses of the epoch that has begun.

        What a killed process wrote of later steps goes.
        """
        self.losses = list(losses)
        if self._main and step and self._folder.is_dir():
            for curve in self._folder.glob("plots/**/*.tsv"):
                head, *rows = curve.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [row for row in rows if int(row.split("\t", 1)[0]) < step]
                curve.write_text("".join([head, *kept]), encoding="utf-8")
            self._open(resume=True)

    def step(self, step: int, loss: float, rate: float) -> None:
        """A step's loss and learning rate."""
        self.losses.append(loss)
        if not self._main:
            return
        live = self._live or self._open(resume=False)
        live.step = step
        live.log_metric("train/loss", loss)
        live.log_metric("train/lr", rate, plot=False)

    def mean_loss(self) -> float:
        """The mean loss since the last time."""
        mean = sum(self.losses) / max(1, len(self.losses))
        self.losses = []
        return mean

    def epoch(self, row: dict[str, float]) -> None:
        """The numbers of an epoch."""
        if not self._main or self._live is None:
            return
        own = {"epoch": "epoch", "loss": "train/epoch_loss"}  # the loss of what is learned from
        for name, value in row.items():
            self._live.log_metric(own.get(name, f"validation/{name}"), value)
        self._live.make_summary()  # type: ignore[no-untyped-call]

    def finish(self, **made: Any) -> None:
        """Close it, and say how the model was made."""
        if not self._main:
            return
        live = self._live or self._open(resume=False)
        _tell_of_kept(live, made)
        live.make_summary()  # type: ignore[no-untyped-call]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            live.end()  # type: ignore[no-untyped-call]
        (self._folder / "plots").mkdir(exist_ok=True)
        text = json.dumps({**_machine(), **made}, indent=2, sort_keys=True) + "\n"
        (self._folder / MADE).write_text(text, encoding="utf-8")

    def _open(self, *, resume: bool) -> "Live":
        """Begin to write.

        Raises:
            VersionError: the repository has no commit yet.
        """
        from dvclive.live import Live
        from scmrepo.exceptions import SCMError

        if not resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        try:
            # No experiment of its own, no dvc.yaml of its own: the stage is what DVC knows.
            self._live = Live(
                str(self._folder), resume=resume, save_dvc_exp=False, dvcyaml=None
            )
        except SCMError as error:  # dvclive asks git for the last commit, whatever it is told
            raise VersionError(
                f"git says: {error}; a training's curves belong to a commit, so make the first "
                "one: git add --all && git commit --message begin"
            ) from error
        return self._live


def _tell_of_kept(live: "Live", made: dict[str, Any]) -> None:
    """Have experiments compared by the epoch whose weights are kept, not by the last one."""
    for row in made.get("history", ()):
        if row["epoch"] == made["best_epoch"]:
            judged = {n: value for n, value in row.items() if n not in ("epoch", "loss")}
            live.summary |= {"epoch": row["epoch"], "validation": judged}


def device() -> str:
    """The kind of processor that trains here: no host's name, no number."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"cpu {platform.machine()}"


def _machine() -> dict[str, Any]:
    return {"device": device(), "gpus": torch.cuda.device_count()}
