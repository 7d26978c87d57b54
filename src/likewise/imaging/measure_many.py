"""Compute pixel statistics of many images on several threads with bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from likewise.imaging.image_reader import ImageReader
from likewise.imaging.parallel import PART_BYTES, chunk_by_size, map_in_order
from likewise.imaging.pixel_statistics import PixelStatistics, measure

CHUNK_FILES = 250
CHUNK_BYTES = PART_BYTES

MeasuredRows: TypeAlias = list[tuple[int, PixelStatistics]]


def measure_all(
    table: Path, rows: Sequence[int], nbytes: Sequence[int]
) -> Iterator[MeasuredRows]:
    """Compute the pixel statistics of the images in ``rows``, in batches and in order.

    Args:
        table: path of the images table.
        rows: positions of the images in the table.
        nbytes: size of each image; a batch has about ``CHUNK_BYTES``, and few are in memory.

    Returns:
        Batches of (row, statistics); images that cannot be decoded have ``fault`` set.
    """
    reader = ImageReader(table, list(rows))

    def measured(positions: list[int]) -> MeasuredRows:
        values = map(measure, reader.encoded(positions))
        return list(zip([rows[place] for place in positions], values, strict=True))

    return map_in_order(measured, chunk_by_size(nbytes, CHUNK_FILES, CHUNK_BYTES))
