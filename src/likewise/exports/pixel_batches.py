"""Decode items to arrays of pixels on all cores, in batches and in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from likewise.exports.base import CHUNK_BYTES, CHUNK_IMAGES, ExportFault, Selection
from likewise.formats.array_types import Pixels
from likewise.imaging.image_reader import Box
from likewise.imaging.parallel import chunk_by_size, map_in_order
from likewise.imaging.probe import BadImage

FillPixels = Callable[[bytes, Box | None, Pixels], None]
"""Computes one item: (encoded image, box or None, array to fill with its pixels)."""

ITEMS_PER_TASK = 16
"""Number of items that a thread processes at a time."""


@dataclass(frozen=True)
class PixelBatch:
    """Pixels of some items.

    Attributes:
        rows: row numbers of the items in the selection.
        pixels: uint8 (rows, ...).
        faults: items that could not be decoded.
    """

    rows: list[int]
    pixels: Pixels
    faults: list[ExportFault]


def pixel_batches(
    selection: Selection,
    rows: list[int],
    fill: FillPixels,
    shape: tuple[int, ...],
    *,
    cut: bool,
) -> Iterator[PixelBatch]:
    """Yield the pixels of the items ``rows`` in that order; show progress on stderr.

    Args:
        selection: the items.
        rows: row numbers in ``selection.items``.
        fill: computes the pixels of an item; it is called by several threads.
        shape: shape of one item's pixels.
        cut: pass the boxes of items to ``fill`` instead of None.
    """
    items = selection.items[rows]
    boxes = items["box"].to_list() if cut else [None] * len(rows)
    names = items["item_id"].to_list()

    def read() -> Iterator[list[tuple[int, bytes]]]:
        for places in chunk_by_size(items["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
            data = selection.reader.encoded([rows[place] for place in places])
            pairs = list(zip(places, data, strict=True))
            yield from (
                pairs[at : at + ITEMS_PER_TASK] for at in range(0, len(pairs), ITEMS_PER_TASK)
            )

    def decode(pairs: list[tuple[int, bytes]]) -> PixelBatch:
        kept: list[int] = []
        faults: list[ExportFault] = []
        pixels = np.empty((len(pairs), *shape), np.uint8)
        for place, data in pairs:
            try:
                fill(data, boxes[place], pixels[len(kept)])
            except BadImage as bad:
                faults.append((names[place], bad.check, bad.detail))
            else:
                kept.append(rows[place])
        return PixelBatch(kept, pixels[: len(kept)], faults)

    with tqdm(total=len(rows), unit="img", desc="export", disable=None) as bar:
        for batch in map_in_order(decode, read()):
            bar.update(len(batch.rows) + len(batch.faults))
            yield batch
