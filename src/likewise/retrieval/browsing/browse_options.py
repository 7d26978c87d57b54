"""Keyword arguments of ``browse``, and their checks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from numbers import Integral
from typing import Any, TypeAlias, TypedDict

from likewise.errors import DataError, UnknownNameError, UnknownOptionError
from likewise.formats.array_types import Int32Array

Value: TypeAlias = str | int | float | bool | None
"""A value of a column; None is a missing value. Texts are converted to the column's type."""

LIMIT = 100
"""Default number of rows of a page."""


class BrowseOptions(TypedDict, total=False):
    """Options of ``browse``.

    Attributes:
        where: an SQL condition that items must meet. Write strings in single quotes:
            ``width > 500 AND label <> 'cat'``. In the list columns ``tags`` and
            ``selections``: ``array_has(tags, 'blurred')``.
        selection: name of a selection; only its items pass.
        positions: positions of items in the data set; only these items pass.
        filters: column -> one value or several; an item must have one of them in each of these
            columns. None is a missing value. In a column of lists, one element must match.
        facets: columns whose values are counted.
        sort: column to sort by; by default items are in the order of the data set, which also
            decides between equal values. Missing values come last.
        descending: sort from the largest value to the smallest.
        offset: number of items before the page.
        limit: maximum number of items on the page; 100 by default.
        columns: columns of the page; by default all but the vectors.
        top: maximum number of values per facet; by default all.
    """

    where: str | None
    selection: str | None
    positions: Sequence[int] | Int32Array | None
    filters: Mapping[str, Value | Sequence[Value]]
    facets: Sequence[str]
    sort: str | None
    descending: bool
    offset: int
    limit: int
    columns: Sequence[str] | None
    top: int | None


@dataclass(frozen=True)
class BrowseQuery:
    """Filters, counts and order of items; see ``BrowseOptions``."""

    where: str | None = None
    selection: str | None = None
    positions: Sequence[int] | Int32Array | None = None
    filters: Mapping[str, Value | Sequence[Value]] = field(default_factory=dict)
    facets: Sequence[str] = ()
    sort: str | None = None
    descending: bool = False
    offset: int = 0
    limit: int = LIMIT
    columns: Sequence[str] | None = None
    top: int | None = None

    @classmethod
    def from_options(
        cls, options: BrowseOptions, columns: Sequence[str], name: str
    ) -> "BrowseQuery":
        """Build and check a query from the keyword arguments of ``browse``.

        Args:
            options: the keyword arguments.
            columns: the columns of the table.
            name: name of the data set, for errors.

        Raises:
            UnknownOptionError: no such option.
            UnknownNameError: the table has no such column.
            DataError: an option has a wrong type, or is out of range.
        """
        known = list(BrowseOptions.__annotations__)
        for option in options:
            if option not in known:
                raise UnknownOptionError("browse", option, known)
        query = cls(**options)
        for fault in chain(query._wrong_types(), query._faults()):
            raise DataError(fault)
        for column in query._named_columns():
            if column not in columns:
                raise UnknownNameError("column", column, columns, name)
        return query

    def values(self, column: str) -> list[Value]:
        """Return the values of ``column`` that the filter accepts; empty without a filter."""
        if column not in self.filters:
            return []
        wanted = self.filters[column]
        several = isinstance(wanted, Sequence) and not isinstance(wanted, str | bytes)
        return list(wanted) if several else [wanted]  # type: ignore[list-item, arg-type]

    def _named_columns(self) -> Iterator[str]:
        yield from self.filters
        yield from self.facets
        if self.sort is not None:
            yield self.sort

    def _wrong_types(self) -> Iterator[str]:
        for option in ("offset", "limit", "top"):
            value = getattr(self, option)
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            if not whole and (option != "top" or value is not None):
                yield f"{option} is {value!r:.80}; give a whole number"
        for option in ("where", "selection", "sort"):
            value = getattr(self, option)
            if value is not None and not isinstance(value, str):
                yield f"{option} is {value!r:.80}; give a text"
        descending: Any = self.descending
        if not isinstance(descending, bool):
            yield f"descending is {descending!r:.80}; give True or False"
        filters: Any = self.filters
        if not isinstance(filters, Mapping):
            yield f"filters is {filters!r:.80}; give a mapping from columns to values"
        yield from names_fault("filters", list(self.filters))
        yield from names_fault("facets", self.facets)
        if self.columns is not None:
            yield from names_fault("columns", self.columns)

    def _faults(self) -> Iterator[str]:
        if self.offset < 0:
            yield f"offset is {self.offset}; the first item has the offset 0"
        if self.limit < 0:
            yield f"limit is {self.limit}; it must not be negative"
        if self.top is not None and self.top < 1:
            yield f"top is {self.top}; ask for at least 1 value per facet"
        if self.columns is not None and not len(self.columns):
            yield "columns is empty; give one column, or leave it out for all"
        for column in self.filters:
            if not self.values(column):
                yield f"filters: no value is given for the column {column!r}"


def names_fault(option: str, names: Any) -> Iterator[str]:
    """Yield the fault of an option that must be a list of names; nothing if it is one."""
    if isinstance(names, str):
        yield f"{option} is the text {names!r:.80}; give a list of columns"
    elif not isinstance(names, Collection) or not all(isinstance(one, str) for one in names):
        yield f"{option} is {names!r:.80}; give a list of columns"
