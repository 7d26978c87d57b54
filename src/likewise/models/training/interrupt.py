"""Orderly stops: SIGTERM and Ctrl-C are handled between two steps."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

from likewise.errors import Stopped

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupt:
    """Records SIGTERM and SIGINT; a second signal ends the process at once.

    A training must handle these signals itself to save a checkpoint between two steps. The
    previous handlers are restored at its end; outside of the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._previous: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        """True after a signal was received."""
        return self._signal is not None

    def stop(self, step: int, steps: int) -> NoReturn:
        """Stop, because this process or another one of the training received a signal.

        Raises:
            KeyboardInterrupt: this process received SIGINT.
            Stopped: otherwise.
        """
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise Stopped(
            f"the training was stopped at step {step:,} of {steps:,} and saved; run the same "
            "command again to resume"
        )

    def __enter__(self) -> "Interrupt":
        """Install the handlers; only the main thread of a process may."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {n: signal.signal(n, self._record) for n in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _record(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            signal.signal(number, self._previous[number])
            signal.raise_signal(number)
        self._signal = number
