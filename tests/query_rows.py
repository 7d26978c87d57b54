"""Rows of a figure of queries, in which pictures are shown several times."""

from dataclasses import replace

import numpy as np
from PIL import Image

from likewise.pages import gallery
from likewise.pages.gallery import Tile
from likewise.pages.query_sheet import QueryRow


def picture(number: int, width: int = 90) -> str:
    noise = np.random.default_rng(number).integers(0, 256, (60, width, 3), np.uint8)
    made = gallery.thumbnail(Image.fromarray(noise))
    assert made
    return made


PICTURES = [picture(number, 30 + 20 * number) for number in range(5)]


def rows(number: int, hits: int = 4) -> list[QueryRow]:
    """Rows with as many hits; every fifth cell has the same picture."""
    tiles = [
        Tile(f"item {n}", PICTURES[n % 5], "cat", 0.5, same=n % 2 == 0) for n in range(hits)
    ]
    return [
        QueryRow(replace(tiles[0], name=f"query {n}", score=None), [("", tiles)])
        for n in range(number)
    ]
