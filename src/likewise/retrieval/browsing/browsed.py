"""The result of ``browse``: a page of items, and counts of values."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import polars as pl

from likewise.errors import LikewiseError
from likewise.formats.array_types import Int32Array
from likewise.formats.counted_nouns import counted
from likewise.pages import notebook

if TYPE_CHECKING:
    from likewise.pages.gallery import Tile

_SHOWN = 24
"""Number of items whose pictures a notebook shows."""

_SIDE = 128
"""Longest edge of these pictures in pixels: they are part of a saved notebook."""

_VALUES = 8
"""Number of values of a facet that a notebook shows."""


class SmallPicture(Protocol):
    """An encoded thumbnail and its type; the type is empty if there is none."""

    @property
    def data(self) -> bytes:
        """The encoded picture."""
        ...

    @property
    def media_type(self) -> str:
        """Such as ``image/jpeg``."""
        ...


class Browsable(Protocol):
    """The part of an open data set that shows items; ``Dataset`` provides it."""

    name: str

    def rows(
        self, positions: Sequence[int] | Int32Array, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """The items at some positions, in that order."""
        ...

    def thumbnails(self, positions: Sequence[int], side: int) -> Sequence[SmallPicture]:
        """The thumbnails of the items at some positions; nothing is fetched."""
        ...


@dataclass(frozen=True)
class Browsed:
    """A page of the items that meet the filters, and counts of their values.

    A notebook shows the pictures of its first items, and the counts.

    Attributes:
        total: number of items that meet all filters.
        offset: number of items before the page.
        page: positions of the items of the page.
        rows: the items of the page.
        counts: for each facet a frame ``value``, ``items``: how many items have this value, the
            most frequent first. The filter of the column itself does not apply to its counts.
            Values without items are left out unless the filter names them. An item with a list
            counts once for each different element.
    """

    total: int
    offset: int
    page: Int32Array
    rows: pl.DataFrame
    counts: Mapping[str, pl.DataFrame]
    _select: Callable[[], Int32Array] = field(repr=False, compare=False)
    _dataset: Browsable | None = field(default=None, repr=False, compare=False)

    @cached_property
    def positions(self) -> Int32Array:
        """Positions (total,) of all items that meet the filters, in order."""
        return self._select()

    def _repr_html_(self) -> str:
        if self._dataset is None:
            return self.rows._repr_html_()
        try:
            shown = notebook.grid(
                _tiles(self._dataset, self.page[:_SHOWN].tolist()), self._title
            )
        except (LikewiseError, OSError):  # without a place for thumbnails
            shown = notebook.heading(self._title) + self.rows._repr_html_()
        facets = notebook.in_a_row(
            notebook.table((name, "items"), _values(counted))
            for name, counted in self.counts.items()
        )
        page = f"the whole page: run `likewise serve` and open /d/{self._dataset.name}"
        return shown + facets + notebook.paragraph(page)

    @property
    def _title(self) -> str:
        name = "" if self._dataset is None else f" of {self._dataset.name}"
        end = self.offset + min(len(self.page), _SHOWN)
        place = f": {self.offset + 1:,} to {end:,}" if 0 < len(self.page) < self.total else ""
        return f"{counted(self.total, 'item')}{name}{place}"


def _tiles(dataset: Browsable, positions: list[int]) -> "list[Tile]":
    """Return the pictures of items as ``data:`` URLs, with their labels."""
    from likewise.pages.gallery import Tile

    facts = dataset.rows(positions, ["item_id", "text", "label"]).rows()
    pictures = dataset.thumbnails(positions, _SIDE)
    return [
        Tile(name, _url(picture), text or label)
        for (name, text, label), picture in zip(facts, pictures, strict=True)
    ]


def _values(counted: pl.DataFrame) -> list[tuple[object, object]]:
    """Return the most frequent values of a facet, and the number of others."""
    rows = counted.head(_VALUES).iter_rows()
    shown = [("none" if value is None else value, items) for value, items in rows]
    more = len(counted) - len(shown)
    return [*shown, *([(f"{more:,} more", None)] if more > 0 else [])]


def _url(picture: SmallPicture) -> str | None:
    if not picture.data:
        return None
    return f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"
