"""Silence warnings of libraries for the length of a block."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of ``category`` that the block causes.

    Python's filters belong to the whole process. The settings are restored at the end. Only one
    thread at a time changes them: two overlapping threads would restore each other's settings.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
