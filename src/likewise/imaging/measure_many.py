"""Measure many images of a table on several threads, a bounded part at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from likewise.imaging.image_reader import ImageReader
from likewise.imaging.parallel import PART_BYTES, chunks, in_order
from likewise.imaging.pixel_statistics import Pixels, measure

CHUNK_FILES = 250
CHUNK_BYTES = PART_BYTES

Measured: TypeAlias = list[tuple[int, Pixels]]


def measure_all(table: Path, rows: Sequence[int], nbytes: Sequence[int]) -> Iterator[Measured]:
    """Measure the images in ``rows`` of an images table, part by part, in their order.

    Args:
        table: where the images table lies.
        rows: the positions of the images in it.
        nbytes: the size of each: a part has about ``CHUNK_BYTES``, and few parts are in memory.

    Returns:
        Pairs of a row and what was measured; an image that cannot be decoded is no error.
    """
    reader = ImageReader(table, list(rows))

    def measured(places: list[int]) -> Measured:
        values = map(measure, reader.encoded(places))
        return list(zip([rows[place] for place in places], values, strict=True))

    return in_order(measured, chunks(nbytes, CHUNK_FILES, CHUNK_BYTES))
