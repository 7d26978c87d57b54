"""Forward passes on a CPU by one thread each, side by side, so that threads change no bit.

A forward pass by several threads splits sums differently for each number of threads, and its
vectors differ by about 1e-6. A forward pass by one thread does not depend on that number.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

Input = TypeVar("Input")
Output = TypeVar("Output")


class _Limit:
    """The limit of one thread for libraries of torch, while any caller needs it.

    ``torch.set_num_threads`` sets OpenMP's number for the calling thread, and that of MKL for
    the whole process. The function is therefore called in threads that end afterwards: the
    number of the caller never changes, and the last thread restores the number of the process.
    """

    def __init__(self) -> None:
        self._lock, self._users, self._before = Lock(), 0, 1

    def enter(self) -> int:
        """Register a user; return the number of threads that torch would use."""
        with self._lock:
            if not self._users:
                self._before = torch.get_num_threads()
            self._users += 1
            return self._before

    def leave(self) -> None:
        """Remove a user; the last one restores the number of the process."""
        with self._lock:
            self._users -= 1
            if not self._users:
                with ThreadPoolExecutor(1) as other:
                    other.submit(torch.set_num_threads, self._before).result()


_LIMIT = _Limit()


@contextmanager
def _workers(tasks: int) -> Iterator[ThreadPoolExecutor]:
    """Start threads whose computations use one thread each."""
    threads = _LIMIT.enter()
    try:
        count = max(1, min(threads, tasks))
        with ThreadPoolExecutor(
            count, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            yield pool
    finally:
        _LIMIT.leave()


def forward_each(forward: Callable[[Input], Output], parts: Sequence[Input]) -> list[Output]:
    """Apply ``forward`` to every part, in as many threads as torch would use for one.

    Args:
        forward: a function without side effects.
        parts: its inputs.

    Returns:
        The outputs, in the order of ``parts``. They have the same bits for every number of
        threads.
    """

    def one(part: Input) -> Output:
        with torch.inference_mode():  # inference mode is a setting of each thread
            return forward(part)

    with _workers(len(parts)) as pool:
        return list(pool.map(one, parts))
