"""Where a training stands, on disk: all that it needs to go on as if it had never stopped."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from likewise.errors import DataError
from likewise.formats.pickles import DAMAGE_ERRORS

_FILES = {"last": "last.pt", "best": "best.pt"}


@dataclass
class Position:
    """How far a training is.

    Attributes:
        step: the next step, counted from 0 over all epochs.
        best: the best value of a validation so far.
        best_epoch: the epoch, from 1, that it was seen after; 0 for none.
        stale: validations since then.
        seconds: how long it took so far.
        history: what was seen, a row an epoch.
    """

    step: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    stale: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Checkpoints:
    """The checkpoints of one training, of the very data and options; see ``Study``."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which no training by other options has."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, which: Literal["last", "best"], state: Mapping[str, Any]) -> None:
        """Write a checkpoint, whole or not at all.

        Raises:
            OSError: the disk is full, say; the checkpoint before is as it was.
        """
        path = self._folder / _FILES[which]
        half = path.with_suffix(".tmp")
        try:
            with half.open("wb") as file:  # torch's own writer does not say what went wrong
                torch.save(dict(state), file)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        os.replace(half, path)  # noqa: PTH105 (atomic on every platform)

    def load(self, which: Literal["last", "best"]) -> dict[str, Any] | None:
        """The checkpoint, or None where there is none.

        Raises:
            DataError: it is damaged.
        """
        path = self._folder / _FILES[which]
        if not path.is_file():
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, OSError, *DAMAGE_ERRORS) as error:
            said = " ".join(str(error).split(".")[0].split())[:200]
            # Neither is of use without the other: the best one is of the steps of the last.
            raise DataError(
                f"{path} is damaged ({said}); to begin anew: rm -r {self._folder}"
            ) from error
        return dict(state)


def random_state() -> dict[str, Any]:
    """Where torch's own random numbers are: the processor's, and those of this process's GPU.

    All processes began with the same seed and drew as often, each on a GPU of its own.
    """
    device = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": device}


def restore_random(state: Mapping[str, Any]) -> None:
    """Go on with the random numbers as ``random_state`` left them."""
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"][0])
