"""The progress of a training: a bar in a terminal, a line per minute in a log."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from tqdm import tqdm

from likewise.formats.counted_nouns import counted

EVERY = 60.0
"""Minimum seconds between two lines of a log."""

_EPOCHS_EVERY = 10.0
"""Minimum seconds between lines of a log with the scores of an epoch."""


class Progress:
    """Shows images, images per second and the remaining time, on stderr."""

    def __init__(self, done: int, total: int, *, main: bool) -> None:
        """Start after ``done`` images of ``total``; only the ``main`` process shows it."""
        hidden = None if main else True
        self._bar = tqdm(total=total, initial=done, unit="img", desc="train", disable=hidden)
        self._logs = main and bool(self._bar.disable)  # stderr is not a terminal
        self._first, self._done, self._total = done, done, total
        self._began = self._logged = time.monotonic()
        self._main = main
        if done:
            self.message(f"resumes after {done:,} of {counted(total, 'image')}")

    def update(self, images: int) -> None:
        """Count the images of a step."""
        self._bar.update(images)
        self._done += images
        self._log("", EVERY)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Show the scores of an epoch."""
        scores = {name: f"{value:.4g}" for name, value in row.items()}
        self._bar.set_postfix({name: text for name, text in scores.items() if name != "epoch"})
        text = ", ".join(f"{name} {value}" for name, value in scores.items())
        self._log(f": {text}", 0 if self._done >= self._total else _EPOCHS_EVERY)

    def message(self, text: str) -> None:
        """Show a line."""
        if self._main:
            tqdm.write(f"train: {text}", file=sys.stderr)

    def _log(self, text: str, every: float) -> None:
        now = time.monotonic()
        if not self._logs or now - self._logged < every:
            return
        self._logged = now
        rate = (self._done - self._first) / max(now - self._began, 1e-9)
        left = tqdm.format_interval((self._total - self._done) / max(rate, 1e-9))
        line = f"train: {self._done:,} of {counted(self._total, 'image')}{text}"
        tqdm.write(f"{line}; {rate:.1f} img/s, {left} left", file=sys.stderr)

    def __enter__(self) -> "Progress":
        """Return this object; the bar is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the bar."""
        self._bar.close()
