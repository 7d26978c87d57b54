"""The result of ``browse``: a page of items, and counts of values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from likewise.formats.array_types import Int32Array


@dataclass(frozen=True)
class Browsed:
    """A page of the items that meet the filters, and counts of their values.

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

    @cached_property
    def positions(self) -> Int32Array:
        """Positions (total,) of all items that meet the filters, in order."""
        return self._select()
