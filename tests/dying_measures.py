"""Measures of pixels whose processes are killed, for tests of engines; workers import it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError
from likewise.steps.measure.measure_rows import MeasureWork


@dataclass(frozen=True)
class DyingMeasures(MeasureWork):
    """Measures files; the first process of every shard ends by SIGKILL before it begins."""

    def __call__(self, shard: int) -> None:
        mark = Path(self.root).with_name(f"died-{shard}")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().__call__(shard)


@dataclass(frozen=True)
class PoisonedMeasures(MeasureWork):
    """Measures files but those of shard 1."""

    def __call__(self, shard: int) -> None:
        if shard == 1:
            raise DataError("it is poison")
        super().__call__(shard)


@dataclass(frozen=True)
class EndlessMeasures(MeasureWork):
    """Measures the files of shards 0 to 2; the others end with their processes."""

    def __call__(self, shard: int) -> None:
        if shard > 2:
            time.sleep(600)
        super().__call__(shard)


@dataclass(frozen=True)
class SlowMeasures(MeasureWork):
    """Measures files; a shard takes half a second, and notes the node that it runs on."""

    def __call__(self, shard: int) -> None:
        mark = Path(self.root).with_name(f"node-{shard}-{os.environ.get('NODE', '')}")
        mark.touch()
        time.sleep(0.5)
        super().__call__(shard)
