"""Measure many images of a table, in worker processes where that helps."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from likewise.imaging.pixels import Pixels, measure
from likewise.imaging.reader import ImageReader
from likewise.imaging.workers import FEW, chunks, in_workers

Measured: TypeAlias = list[tuple[int, Pixels]]


def measure_all(table: Path, rows: Sequence[int], nbytes: Sequence[int]) -> Iterator[Measured]:
    """Measure the images in ``rows`` of an images table, part by part, in their order.

    Args:
        table: where the images table lies.
        rows: the positions of the images in it.
        nbytes: the size of each, which bounds what is in memory.

    Yields:
        Pairs of a row and what was measured; an image that cannot be decoded is no error.
    """
    jobs = ((table, chunk) for chunk in chunks(zip(rows, nbytes, strict=True)))
    if len(rows) <= FEW:
        yield from (_measure(*job) for job in jobs)
    else:
        yield from in_workers(_measure, jobs)


def _measure(table: Path, rows: list[int]) -> Measured:
    reader = ImageReader(table, rows)
    return list(zip(rows, map(measure, reader.encoded(range(len(rows)))), strict=True))
