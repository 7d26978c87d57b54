"""SQL conditions of selections, in the dialect of filters and in that of queries."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from likewise.errors import UnknownNameError
from likewise.web.answers import bad_request
from likewise.web.columns import PageColumn
from likewise.web.parameters import RowSelection, span

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")

_WHOLE = re.compile(r"-?[0-9]{1,20}")

_WORDS = frozenset(
    """
    all and any as asc between by case cast check column cross current_date date day desc
    distinct else end exists false for from full group having hour in inner interval into is
    join key left like limit minute month natural not null offset on or order outer over
    primary references right row rows second select set some table then time timestamp to true
    union unique user using values when where with year
    """.split()  # noqa: SIM905
)
"""Words of SQL that are quoted as names of columns."""

FILTER, QUERY = "`", '"'
"""The quotes of names in filters and in queries."""


def name(column: str, quote: str = FILTER) -> str:
    """Return the name of a column as SQL."""
    simple = _PLAIN.fullmatch(column) and column not in _WORDS
    return column if simple else f"{quote}{column.replace(quote, 2 * quote)}{quote}"


def text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def value_filters(
    selection: RowSelection, columns: Mapping[str, PageColumn]
) -> dict[str, list[Any]]:
    """Return the facets that accept single values: column -> values, None for null."""
    return {
        facet: [value or None for value in values]
        for facet, values in selection.facets.items()
        if not _is_range(_filterable(facet, columns), values)
    }


def condition(
    selection: RowSelection, columns: Mapping[str, PageColumn], quote: str = FILTER
) -> str | None:
    """Return the condition of the ranges and the free condition; None for all rows.

    Raises:
        UnknownNameError: there is no column of a facet.
        RefusedError: a value does not suit its column.
    """
    ranges = [
        _any(_ranges(name(facet, quote), facet, values))
        for facet, values in selection.facets.items()
        if _is_range(_filterable(facet, columns), values)
    ]
    return _all([*ranges, *([selection.where] if selection.where else [])])


def whole_condition(
    selection: RowSelection, columns: Mapping[str, PageColumn], quote: str = FILTER
) -> str | None:
    """Return the condition of all facets and the free condition; None for all rows."""
    single = [
        _any(_singles(name(facet, quote), values, columns[facet], quote))
        for facet, values in value_filters(selection, columns).items()
    ]
    rest = condition(selection, columns, quote)
    return _all([*single, *([rest] if rest else [])])


def _all(parts: Sequence[str]) -> str | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return " AND ".join(f"({part})" for part in parts)


def _any(parts: Iterator[str]) -> str:
    return " OR ".join(parts)


def _filterable(facet: str, columns: Mapping[str, PageColumn]) -> PageColumn:
    if facet not in columns:
        raise UnknownNameError("column", facet, columns)
    if columns[facet].kind == "other":
        raise bad_request(f"{facet} is neither text nor a number; use where")
    return columns[facet]


def _is_range(column: PageColumn, values: Sequence[str]) -> bool:
    return column.kind == "number" and any(".." in value for value in values)


def _singles(
    shown: str, values: Sequence[str | None], column: PageColumn, quote: str
) -> Iterator[str]:
    if column.kind == "list":
        yield from _elements(shown, values, quote)
        return
    given = [
        text(value) if column.kind == "text" else _number(column.name, value)
        for value in values
        if value is not None
    ]
    if len(given) == 1:
        yield f"{shown} = {given[0]}"
    elif given:
        yield f"{shown} IN ({', '.join(given)})"
    if None in values:
        yield f"{shown} IS NULL"


def _elements(shown: str, values: Sequence[str | None], quote: str) -> Iterator[str]:
    """Yield the conditions of lists that contain a value, or that are empty."""
    has, length = (
        ("array_has", "cardinality") if quote == FILTER else ("array_contains", "array_length")
    )
    for value in values:
        if value is None:
            yield f"{shown} IS NULL OR {length}({shown}) = 0"
        else:
            yield f"{has}({shown}, {text(value)})"


def _ranges(shown: str, column: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        if not value:
            yield f"{shown} IS NULL"
            continue
        low, high = span(column, value) or span(column, f"{value}..{value}") or (None, None)
        ends = [
            f"{shown} {sign} {_decimal(end)}"
            for sign, end in ((">=", low), ("<=", high))
            if end is not None
        ]
        yield " AND ".join(ends) or f"{shown} IS NOT NULL"


def _number(column: str, value: str) -> str:
    """Return a number as SQL.

    Raises:
        RefusedError: ``value`` is not a number.
    """
    if _WHOLE.fullmatch(value):
        return value
    low, _ = span(column, f"{value}..{value}") or (None, None)
    if low is None:
        raise bad_request(f"{column}: {value[:40]!r} is not a number")
    return _decimal(low)


def _decimal(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
