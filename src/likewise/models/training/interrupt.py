"""Ending in good order: SIGTERM and Ctrl-C are noticed between two steps."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

from likewise.errors import Stopped

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupt:
    """Notices that the process is asked to end; a second time, it ends at once."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._before: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether it was asked to end."""
        return self._signal is not None

    def stop(self, step: int, steps: int) -> NoReturn:
        """End here, as this process or another of the same training was asked to.

        Raises:
            KeyboardInterrupt: it was, by Ctrl-C.
            Stopped: it was, by SIGTERM.
        """
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise Stopped(
            f"stopped at step {step:,} of {steps:,}, all is saved; run the same command "
            "again to go on"
        )

    def __enter__(self) -> "Interrupt":
        """Listen; only the main thread of a process may."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do again what was done before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
        self._signal = number
