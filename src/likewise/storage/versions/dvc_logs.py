"""Control what DVC logs: errors that it ignores, and a line for every file."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()
"""Held while a thread changes DVC's loggers, which belong to the whole process.

DVC reports some errors only through its loggers. Overlapping changes of two threads would
restore the wrong handlers.
"""


@contextmanager
def logged_errors() -> Iterator[list[BaseException]]:
    """Collect the errors that DVC only logs while it continues with other files."""
    errors: list[BaseException] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                errors.append(record.exc_info[1])

    log = logging.getLogger("dvc_data")
    with _lock:
        before = log.handlers, log.propagate
        # DVC's own handler would print a line for every file before our error.
        log.handlers, log.propagate = [Listener(logging.ERROR)], False
        try:
            yield errors
        finally:
            log.handlers, log.propagate = before


@contextmanager
def silent(level: int = logging.WARNING) -> Iterator[None]:
    """Keep DVC from printing what is below ``level``, such as a line for every file.

    Above ``ERROR`` it shows no progress either.
    """
    log = logging.getLogger("dvc")
    with _lock:
        before = log.level
        log.setLevel(level)
        try:
            yield
        finally:
            log.setLevel(before)
