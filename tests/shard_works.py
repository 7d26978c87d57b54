"""Works of shards for tests of engines; worker processes import this module."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError


@dataclass(frozen=True)
class TouchWork:
    """Makes a file for each shard; some shards fail or end their process.

    Attributes:
        folder: the folder of the files.
        poison: the shard that fails.
        deadly: the shard that ends its process by SIGKILL.
        deaths: how often it does.
        seconds: how long a shard takes.
        together: number of shards that must have begun before one ends.
    """

    folder: str
    poison: int = -1
    deadly: int = -1
    deaths: int = 0
    seconds: float = 0.0
    together: int = 0

    def __call__(self, shard: int) -> None:
        folder = Path(self.folder)
        (folder / f"begun{shard}").write_text(str(os.getpid()), "utf-8")
        if shard == self.poison:
            raise DataError("it is poison")
        if shard == self.deadly and len(list(folder.glob("death*"))) < self.deaths:
            (folder / f"death{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        while len(list(folder.glob("begun*"))) < self.together:
            time.sleep(0.01)
        os.write(1, b"a library prints this\n")
        (folder / str(shard)).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""), "utf-8")


@dataclass(frozen=True)
class BrokenWork:
    """A work with a fault that is a bug."""

    folder: str

    def __call__(self, shard: int) -> None:
        raise TypeError(f"no shard {shard}")
