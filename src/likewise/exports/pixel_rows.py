"""Items as rows of pixels: decoded by all cores, some at a time, in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from likewise.exports.base import CHUNK_BYTES, CHUNK_IMAGES, Fault, Selection
from likewise.formats.array_types import Pixels
from likewise.imaging.image_reader import Box
from likewise.imaging.parallel import chunks, in_order
from likewise.imaging.probe import BadImage

Make = Callable[[bytes, Box | None, Pixels], None]
"""Fills the pixels of one item in: its image, its box in it, where they belong."""

PART = 16
"""So many items one thread takes at a time."""


@dataclass(frozen=True)
class Part:
    """Some items' pixels: their rows in the selection's items, (rows, ...), and the faults."""

    rows: list[int]
    pixels: Pixels
    faults: list[Fault]


def pixels(
    chosen: Selection, rows: list[int], make: Make, shape: tuple[int, ...], *, cut: bool
) -> Iterator[Part]:
    """The pixels of the items ``rows``, in that order, with a bar on stderr.

    Args:
        chosen: whose items they are.
        rows: positions in its items.
        make: what makes pixels of an encoded image (and of a box in it); threads call it.
        shape: that of an item's pixels.
        cut: whether ``make`` is given the items' boxes, or whole images only.
    """
    wanted = chosen.items[rows]
    boxes = wanted["box"].to_list() if cut else [None] * len(rows)
    names = wanted["item_id"].to_list()

    def read() -> Iterator[list[tuple[int, bytes]]]:
        for places in chunks(wanted["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
            data = chosen.reader.encoded([rows[place] for place in places])
            pairs = list(zip(places, data, strict=True))
            yield from (pairs[at : at + PART] for at in range(0, len(pairs), PART))

    def part(pairs: list[tuple[int, bytes]]) -> Part:
        good: list[int] = []
        faults: list[Fault] = []
        made = np.empty((len(pairs), *shape), np.uint8)
        for place, data in pairs:
            try:
                make(data, boxes[place], made[len(good)])
            except BadImage as bad:
                faults.append((names[place], bad.check, bad.detail))
            else:
                good.append(rows[place])
        return Part(good, made[: len(good)], faults)

    with tqdm(total=len(rows), unit="img", desc="export", disable=None) as bar:
        for done in in_order(part, read()):
            bar.update(len(done.rows) + len(done.faults))
            yield done
