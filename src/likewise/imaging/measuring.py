"""Measure many images of a table on several threads, a bounded part at a time."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from likewise.imaging.pixels import Pixels, measure
from likewise.imaging.reader import ImageReader

CHUNK_FILES = 250
CHUNK_BYTES = 1 << 20

Measured: TypeAlias = list[tuple[int, Pixels]]


def measure_all(table: Path, rows: Sequence[int], nbytes: Sequence[int]) -> Iterator[Measured]:
    """Measure the images in ``rows`` of an images table, part by part, in their order.

    Args:
        table: where the images table lies.
        rows: the positions of the images in it.
        nbytes: the size of each: a part has about ``CHUNK_BYTES``, and few parts are in memory.

    Yields:
        Pairs of a row and what was measured; an image that cannot be decoded is no error.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    # Decoding, resizing and sums let other threads go on; processes were no faster, and take
    # seconds to start and 200 MB each.
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Measured]] = deque()
        try:
            for chunk in _chunks(rows, nbytes):
                pending.append(pool.submit(_measure, table, chunk))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _measure(table: Path, rows: list[int]) -> Measured:
    reader = ImageReader(table, rows)
    return list(zip(rows, map(measure, reader.encoded(range(len(rows)))), strict=True))


def _chunks(rows: Sequence[int], nbytes: Sequence[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for row, number in zip(rows, nbytes, strict=True):
        if chunk and (size + number > CHUNK_BYTES or len(chunk) >= CHUNK_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += number
    if chunk:
        yield chunk
