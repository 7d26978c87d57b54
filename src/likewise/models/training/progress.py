"""How far a training is: a bar in a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from tqdm import tqdm

EVERY = 60.0
"""Seconds between two lines of a log; an epoch's numbers come sooner, but not each second."""

_EPOCHS_EVERY = 10.0


class Progress:
    """Images, how many a second, and how long the rest will take, on stderr."""

    def __init__(self, done: int, total: int, *, main: bool) -> None:
        """Begin after ``done`` images of ``total``; only the ``main`` process is heard."""
        shown = None if main else True
        self._bar = tqdm(total=total, initial=done, unit="img", desc="train", disable=shown)
        self._logs = main and bool(self._bar.disable)  # stderr is no terminal
        self._first, self._done, self._total = done, done, total
        self._began = self._told = time.monotonic()
        self._main = main
        if done:
            self.say(f"goes on after {done:,} of {total:,} images")

    def update(self, images: int) -> None:
        """A step is done."""
        self._bar.update(images)
        self._done += images
        self._tell("", EVERY)

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch is done; its numbers."""
        said = {name: f"{value:.4g}" for name, value in row.items()}
        self._bar.set_postfix({name: text for name, text in said.items() if name != "epoch"})
        numbers = ", ".join(f"{name} {text}" for name, text in said.items())
        self._tell(f": {numbers}", 0 if self._done >= self._total else _EPOCHS_EVERY)

    def say(self, what: str) -> None:
        """A line that one has to know of."""
        if self._main:
            tqdm.write(f"train: {what}", file=sys.stderr)

    def _tell(self, what: str, every: float) -> None:
        now = time.monotonic()
        if not self._logs or now - self._told < every:
            return
        self._told = now
        rate = (self._done - self._first) / max(now - self._began, 1e-9)
        left = tqdm.format_interval((self._total - self._done) / max(rate, 1e-9))
        said = f"train: {self._done:,} of {self._total:,} images{what}"
        tqdm.write(f"{said}; {rate:.1f} img/s, {left} left", file=sys.stderr)

    def __enter__(self) -> "Progress":
        """Be closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it is."""
        self._bar.close()
