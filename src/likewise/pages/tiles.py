"""Thumbnails of the items of an open data set."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from likewise.formats.array_types import Int32Array, Int64Array
from likewise.pages.gallery import EncodedImages, Tile, thumbnails
from likewise.storage.config import Card


class Pictured(Protocol):
    """The part of an open data set that its pictures need; ``Dataset`` provides it."""

    name: str

    @property
    def card(self) -> Card:
        """Title, source and licence of the data set."""
        ...

    def find(self, ids: Sequence[str]) -> Int64Array:
        """The positions of items; -1 for unknown ids."""
        ...

    def positions(self, ids: Sequence[str]) -> Int32Array:
        """The positions of items; unknown ids are refused."""
        ...

    def rows(
        self, positions: Sequence[int] | Int32Array, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """The items at some positions, in that order."""
        ...

    def reader(self, ids: Sequence[str]) -> EncodedImages:
        """The images of some items."""
        ...


def item_tiles(dataset: Pictured, items: Sequence[str]) -> list[Tile]:
    """The pictures of ``items`` with their labels, in that order."""
    if not items:
        return []
    facts = rows_of(dataset, items)
    pictures = thumbnails(dataset.reader(items), facts["box"].to_list())
    return [
        Tile(name, picture, text or label)
        for picture, (name, text, label) in zip(
            pictures, facts.select("item_id", "text", "label").iter_rows(), strict=True
        )
    ]


def rows_of(dataset: Pictured, items: Sequence[str]) -> pl.DataFrame:
    """The rows of ``items``, in that order."""
    return dataset.rows(dataset.positions(items))
