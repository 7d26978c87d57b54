"""Work on many files in processes of their own, a bounded part at a time."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar, TypeVarTuple, Unpack

CHUNK_FILES = 250
CHUNK_BYTES = 1 << 20
FEW = 500
"""Up to so many files are worked on faster here than processes start."""

T = TypeVar("T")
Job = TypeVarTuple("Job")


def in_workers(
    function: Callable[[Unpack[Job]], T], jobs: Iterable[tuple[*Job]]
) -> Iterator[T]:
    """What ``function`` returns for every one of ``jobs``, in their order.

    A few jobs a processor are under way or done and not taken yet, never more.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    # Lance does not survive a fork.
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: deque[Future[T]] = deque()
        try:
            for job in jobs:
                pending.append(pool.submit(function, *job))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def chunks(sized: Iterable[tuple[T, int]]) -> Iterator[list[T]]:
    """What is given with its size in bytes, in parts of at most ``CHUNK_BYTES`` or one."""
    chunk: list[T] = []
    size = 0
    for value, nbytes in sized:
        if chunk and (size + nbytes > CHUNK_BYTES or len(chunk) >= CHUNK_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += nbytes
    if chunk:
        yield chunk
