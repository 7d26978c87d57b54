"""Process files and images on several threads with bounded memory.

Reading, hashing, decoding and resizing release the interpreter lock. Processes would not be
faster: they copy the data, take seconds to start, and need memory each.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


PART_BYTES = max(1 << 20, (48 << 20) // (3 * cores()))
"""Size of a batch in bytes; ``map_in_order`` keeps at most three per processor in memory."""


def chunk_by_size(nbytes: Iterable[int], max_count: int, max_bytes: int) -> Iterator[list[int]]:
    """Group positions 0, 1, ... of the sizes ``nbytes`` into batches.

    Args:
        nbytes: size of each element.
        max_count: maximum number of elements per batch.
        max_bytes: approximate maximum size of a batch.
    """
    chunk: list[int] = []
    size = 0
    for position, length in enumerate(nbytes):
        if chunk and (size + length > max_bytes or len(chunk) >= max_count):
            yield chunk
            chunk, size = [], 0
        chunk.append(position)
        size += length
    if chunk:
        yield chunk


def map_in_order(
    function: Callable[[T], R],
    parts: Iterable[T],
    alone: Callable[[T], bool] = lambda _: False,
) -> Iterator[R]:
    """Apply ``function`` to all parts on several threads, and yield results in order.

    Only a few parts are in memory at a time. A part should take some milliseconds; the overhead
    per part is about 0.1 ms.

    Args:
        function: called with each part.
        parts: the parts.
        alone: returns True for a part that needs so much memory that no other part may be in
            memory with it.
    """
    threads = cores()
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[R]] = deque()
        try:
            for part in parts:
                if alone(part):
                    while pending:
                        yield pending.popleft().result()
                    yield function(part)
                    continue
                pending.append(pool.submit(function, part))
                if len(pending) > 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
