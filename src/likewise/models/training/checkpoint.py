"""Checkpoints: everything on disk that a training needs to resume.

A checkpoint ends in a seal (see ``storage.seals``): only one that this checkout wrote is read.
"""

import hashlib
import io
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from likewise.errors import DataError
from likewise.formats.atomic import atomic_file, writing
from likewise.formats.pickles import DAMAGE_ERRORS
from likewise.storage import seals
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SEAL_BYTES = 64

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

    def __init__(self, folder: Path, workspace: Workspace | None = None) -> None:
        """Use ``folder``, which belongs to one training of ``workspace``."""
        self._folder = folder
        self._ws = workspace or Workspace(folder)
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
            file.flush()
            data = _digest(part, part.stat().st_size)
            file.write(seals.seal(self._ws, self._purpose(which), data).encode())

    def load(self, which: Literal["last", "best"]) -> dict[str, Any] | None:
        """Read a checkpoint; None if it does not exist.

        Raises:
            DataError: the checkpoint is damaged, or this checkout did not write it.
        """
        path = self._folder / _FILES[which]
        if not path.is_file():
            return None
        try:
            size = max(0, path.stat().st_size - _SEAL_BYTES)
            with path.open("rb") as file:
                file.seek(size)
                mac = file.read().decode("ascii", errors="replace")
            if not seals.is_sealed(self._ws, self._purpose(which), _digest(path, size), mac):
                raise self._damaged(path, "or was not written by this checkout")
            with io.BufferedReader(_Beginning(path, size)) as body:
                state = torch.load(body, map_location="cpu", weights_only=True)
        except (RuntimeError, OSError, *DAMAGE_ERRORS) as error:
            message = " ".join(str(error).split(".")[0].split())[:200]
            raise self._damaged(path, message) from error
        return dict(state)

    def _purpose(self, which: str) -> str:
        return f"checkpoints/{self._folder.parent.name}/{which}"

    def _damaged(self, path: Path, why: str) -> DataError:
        # Neither is useful alone: the best one belongs to the steps of the last one.
        remove = shlex.join(["rm", "-r", str(self._folder)])
        return DataError(f"{path} is damaged ({why}); to start over: {remove}")


class _Beginning(io.RawIOBase):
    """The first ``size`` bytes of a file, as a file."""

    def __init__(self, path: Path, size: int) -> None:
        self._file, self._size = path.open("rb"), size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        return self._file.readinto(view[: max(0, self._size - self._file.tell())])

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            offset, whence = offset + self._size, os.SEEK_SET
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def _digest(path: Path, size: int) -> bytes:
    """Return the SHA-256 of the first ``size`` bytes of a file."""
    with _Beginning(path, size) as body:
        return hashlib.file_digest(io.BufferedReader(body), "sha256").digest()


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
