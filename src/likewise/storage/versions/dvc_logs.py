"""What DVC logs: errors that it goes on after, and a line for every file."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()
"""DVC's loggers belong to the whole process, and it has no other way to tell of its errors.

One thread at a time changes them, and puts them back: two that overlap would put back each
other's.
"""


@contextmanager
def logged_errors() -> Iterator[list[BaseException]]:
    """The errors that DVC only logs, a traceback each, while it goes on with other files."""
    errors: list[BaseException] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                errors.append(record.exc_info[1])

    log = logging.getLogger("dvc_data")
    with _lock:
        before = log.handlers, log.propagate
        # DVC's own handler would print a line for every file before our error does.
        log.handlers, log.propagate = [Listener(logging.ERROR)], False
        try:
            yield errors
        finally:
            log.handlers, log.propagate = before


@contextmanager
def silent() -> Iterator[None]:
    """Keep DVC from telling of every file on stdout."""
    log = logging.getLogger("dvc")
    with _lock:
        level = log.level
        log.setLevel(logging.WARNING)
        try:
            yield
        finally:
            log.setLevel(level)
