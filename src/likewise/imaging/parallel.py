"""Files and pictures by several threads, a bounded part at a time.

Reading, hashing, decoding and resizing hold no lock of the interpreter. What processes would
gain for the rest they lose by handing bytes over; they take seconds to start, and memory each.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


PART_BYTES = max(1 << 20, (48 << 20) // (3 * cores()))
"""A part of files: ``in_order`` holds three a processor at most; larger ones go faster."""


def chunks(nbytes: Iterable[int], most: int, most_bytes: int) -> Iterator[list[int]]:
    """Places of things of such sizes, in order: at most ``most``, of about ``most_bytes``."""
    chunk: list[int] = []
    size = 0
    for place, length in enumerate(nbytes):
        if chunk and (size + length > most_bytes or len(chunk) >= most):
            yield chunk
            chunk, size = [], 0
        chunk.append(place)
        size += length
    if chunk:
        yield chunk


def in_order(function: Callable[[T], R], parts: Iterable[T]) -> Iterator[R]:
    """``function`` of every part, in order; at most a few of them are in memory.

    A part should take some milliseconds: handing one over costs a tenth of one.
    """
    threads = cores()
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[R]] = deque()
        try:
            for part in parts:
                pending.append(pool.submit(function, part))
                if len(pending) > 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
