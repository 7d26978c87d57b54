"""Checkpoints: everything on disk that a training needs to resume."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from likewise.errors import DataError
from likewise.formats.atomic import atomic_file, writing
from likewise.formats.pickles import DAMAGE_ERRORS

_FILES = {"last": "last.pt", "best": "best.pt"}


@dataclass
class Position:
    """The position of a training. Checkpoints contain its fields.

    Attributes:
        step: the next step, counted from 0 over all epochs.
        best: the best validation score.
        best_epoch: the epoch of that score, counted from 1; 0 for none.
        stale: validations since then.
        seconds: the duration until now.
        history: the scores, one row per epoch.
    """

    step: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    stale: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Checkpoints:
    """The checkpoints of one training; see ``TrainingContext.checkpoints``."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which belongs to one training."""
        self._folder = folder
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def save(self, which: Literal["last", "best"], state: Mapping[str, Any]) -> None:
        """Write a checkpoint atomically.

        Raises:
            DataError: the disk is full, for example; the previous checkpoint is intact.
        """
        # torch's own writer hides the cause of errors; Python's file does not.
        with atomic_file(self._folder / _FILES[which]) as part, part.open("wb") as file:
            torch.save(dict(state), file)

    def load(self, which: Literal["last", "best"]) -> dict[str, Any] | None:
        """Read a checkpoint; None if it does not exist.

        Raises:
            DataError: the checkpoint is damaged.
        """
        path = self._folder / _FILES[which]
        if not path.is_file():
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, OSError, *DAMAGE_ERRORS) as error:
            message = " ".join(str(error).split(".")[0].split())[:200]
            # Neither is useful alone: the best one belongs to the steps of the last one.
            raise DataError(
                f"{path} is damaged ({message}); to start over: rm -r {self._folder}"
            ) from error
        return dict(state)


@contextmanager
def seeded_random(seed: int) -> Iterator[None]:
    """Seed torch's random numbers; restore their state at the end."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def random_state() -> dict[str, Any]:
    """Return the state of torch's random numbers, of the CPU and of this process's GPU.

    All processes started with the same seed and drew as many numbers, each on its own GPU.
    """
    device = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": device}


def restore_random(state: Mapping[str, Any]) -> None:
    """Restore the result of ``random_state``."""
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
