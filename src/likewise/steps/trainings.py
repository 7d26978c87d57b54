"""Read the learning curves of trainings, of complete ones and of those that run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.training_reports import (
    TrainingFolder,
    read_curves,
    read_training_report,
    training_folders,
)
from likewise.errors import UnknownNameError
from likewise.formats.paths import StrPath
from likewise.storage import journal
from likewise.storage.config import FITTED_SECTIONS
from likewise.storage.workspace import Workspace

_FACTS = ("device", "gpus", "processes", "hours", "images_per_second", "steps", "items")


@dataclass(frozen=True)
class Training:
    """The logged values of one training.

    Attributes:
        model: name of the model.
        rev: git revision that was read; None for the checkout.
        key: identifies an unfinished training; "" for a complete one.
        state: ``complete``, ``running``, or ``stopped``; a stopped one can be resumed.
        values: a frame with one row per logged value: metric, step, value. Its metrics are
            ``train/loss`` of every step, and ``epoch``, ``train/epoch_loss`` and
            ``validation/...`` of every epoch.
        kept_epoch: the epoch whose weights were kept; None if it is not known yet.
        kept_step: the step at the end of that epoch.
        facts: device, hours, images per second and more; empty for an unfinished training.
    """

    model: str
    rev: str | None
    key: str
    state: Literal["complete", "running", "stopped"]
    values: pl.DataFrame = field(repr=False)
    kept_epoch: int | None = None
    kept_step: int | None = None
    facts: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def last(self) -> dict[str, float]:
        """The last value of every metric."""
        grouped = self.values.group_by("metric", maintain_order=True).last()
        return dict(grouped.select("metric", "value").iter_rows())


def trainings(
    models: Sequence[str] = (), *, workspace: StrPath | None = None
) -> list[Training]:
    """Return the learning curves of models: of the last training, and of unfinished ones.

    The curves of a training that runs grow while they are read.

    Args:
        models: names of models that learn; ``MODEL@REV`` reads another git revision, such as
            the commit of an experiment. By default all that have curves.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such model, or git no such revision.
        DataError: a file of curves is damaged.

    Example:
        >>> likewise.trainings()
        []
    """
    ws = open_workspace(workspace)
    if isinstance(models, str):
        models = [models]
    listed: list[Training] = []
    for given in models or _learning(ws):
        model, _, rev = given.partition("@")
        at = open_workspace(workspace, rev=rev) if rev else ws
        if model not in _learning(at):
            at.params.refuse_broken(model, FITTED_SECTIONS)
            raise UnknownNameError("model that learns", model, _learning(at), "params.yaml")
        listed += _curves(at, model, rev or None)
    return listed


def _learning(ws: Workspace) -> list[str]:
    """Return the models that learn, in the order of params.yaml."""
    return [name for section in FITTED_SECTIONS for name in getattr(ws.params, section)]


def _curves(ws: Workspace, model: str, rev: str | None) -> Iterator[Training]:
    for folder in training_folders(ws, model):
        values = read_curves(folder.path)
        report = (read_training_report(ws, model) or {}) if folder.is_complete else {}
        best = report.get("best_epoch")
        kept = best if isinstance(best, int) else None
        ends = values.filter(metric="epoch", value=float(kept)) if kept is not None else None
        yield Training(
            model,
            rev,
            folder.key,
            _state(ws, model, folder),
            values,
            kept,
            int(ends["step"][0]) if ends is not None and len(ends) else None,
            {name: report[name] for name in _FACTS if report.get(name) is not None},
        )


def _state(
    ws: Workspace, model: str, folder: TrainingFolder
) -> Literal["complete", "running", "stopped"]:
    """Return the state of a training; only the unfinished one that changed last may run."""
    if folder.is_complete:
        return "complete"
    others = [one for one in training_folders(ws, model) if not one.is_complete]
    newest = max(others, key=lambda one: (one.path.stat().st_mtime_ns, one.key))
    runs = newest == folder and journal.is_running(ws, f"train-{model}")
    return "running" if runs else "stopped"
