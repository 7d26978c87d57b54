"""Read the parameters of a request."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from starlette.datastructures import QueryParams

from likewise.formats.counted_nouns import counted
from likewise.web.answers import bad_request

FACET = "f."
"""Prefix of the parameters that filter by a column."""

MOST_TEXT = 10_000
"""Maximum number of characters of a parameter."""

MOST_SENTENCES = 200
"""Maximum number of texts of a query times that of its templates."""


MOST_CORNERS = 100
"""Maximum number of corners of a region of a map."""


@dataclass(frozen=True)
class MapRegion:
    """A region of a map: the name of the map, and the corners (x, y) in its coordinates."""

    name: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class RowSelection:
    """The rows that a page shows, and their order.

    Attributes:
        where: an SQL condition; None for all rows.
        facets: column -> values as the URL spells them: "" for null, ``low..high`` for a range.
        sort: column to sort by, with a leading ``-`` for descending order; None for the order
            of the data set.
        region: only items in a region of a map; None for all.
    """

    where: str | None = None
    facets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str | None = None
    region: MapRegion | None = None

    def without(self, column: str) -> "RowSelection":
        """Return the selection without the facet ``column``."""
        facets = {name: values for name, values in self.facets.items() if name != column}
        return replace(self, facets=facets)


def selection(query: QueryParams) -> RowSelection:
    """Read the filter and the order.

    Raises:
        RefusedError: a text is too long.
    """
    facets: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(query.keys()):
        if name.startswith(FACET):
            facets[name.removeprefix(FACET)] = tuple(texts(query, name))
    return RowSelection(text(query, "where"), facets, text(query, "sort"), _region(query))


def _region(query: QueryParams) -> MapRegion | None:
    """Return the region ``MAP:x,y,x,y,...``; None if it is absent.

    Raises:
        RefusedError: it is not a region.
    """
    given = text(query, "region")
    if given is None:
        return None
    name, _, listed = given.partition(":")
    numbers = [_float("region", number) for number in listed.split(",")]
    if len(numbers) % 2 or not 6 <= len(numbers) <= 2 * MOST_CORNERS:
        what = f"region: give MAP:x,y,... with 3 to {MOST_CORNERS} corners"
        raise bad_request(what)
    return MapRegion(name, tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def text(query: QueryParams, name: str) -> str | None:
    """Return a parameter; None if it is absent or empty.

    Raises:
        RefusedError: it is too long, or has a character that no text has.
    """
    value = query.get(name)
    return _checked(name, value) if value else None


def texts(query: QueryParams, name: str) -> list[str]:
    """Return all values of a parameter that may be repeated."""
    return [_checked(name, value) for value in query.getlist(name)]


def _checked(name: str, value: str) -> str:
    if len(value) > MOST_TEXT:
        raise bad_request(
            f"{name[:40]}: {counted(len(value), 'character')}; at most {MOST_TEXT:,}"
        )
    if "\0" in value:
        raise bad_request(f"{name[:40]}: it contains a zero byte")
    return value


def number(query: QueryParams, name: str, default: int, least: int, most: int) -> int:
    """Return a whole number in the range ``least`` to ``most``.

    Raises:
        RefusedError: it is not a number, or out of the range.
    """
    given = query.get(name)
    if not given:
        return default
    if not given.isascii() or not given.isdecimal() or len(given) > 12:
        raise bad_request(f"{name}: {given[:40]!r} is not a whole number")
    value = int(given)
    if not least <= value <= most:
        raise bad_request(f"{name} is {value:,}; it must be from {least:,} to {most:,}")
    return value


def choice(query: QueryParams, name: str, known: Sequence[str]) -> str:
    """Return one of ``known``, by default the first.

    Raises:
        RefusedError: it is another text.
    """
    value = query.get(name) or known[0]
    if value not in known:
        raise bad_request(f"{name} is {value[:40]!r}; it is one of {', '.join(known)}")
    return value


def combine(query: QueryParams) -> Literal["mean", "max"]:
    """Return how several queries are combined."""
    return "max" if choice(query, "combine", ("mean", "max")) == "max" else "mean"


def decimal(query: QueryParams, name: str) -> float | None:
    """Return a number; None if it is absent.

    Raises:
        RefusedError: it is not a number.
    """
    given = query.get(name)
    return _float(name, given) if given else None


def words(query: QueryParams) -> dict[str, Any]:
    """Read the options of a search by texts and keywords.

    Raises:
        RefusedError: there are too many texts or templates.
    """
    given = {name: texts(query, name) for name in ("text", "not_text")}
    given = {name: [one for one in values if one] for name, values in given.items()}
    templates = texts(query, "template")
    if sum(map(len, given.values())) * max(1, len(templates)) > MOST_SENTENCES:
        raise bad_request(f"give at most {MOST_SENTENCES} texts times templates")
    return {
        **given,
        "templates": templates,
        "text_weight": decimal(query, "text_weight"),
        "keywords": text(query, "keywords"),
    }


def box(query: QueryParams) -> tuple[float, float, float, float] | None:
    """Return the box ``x1,y1,x2,y2``; None if it is absent.

    Raises:
        RefusedError: it is not a box.
    """
    given = query.get("box")
    if not given:
        return None
    edges = [_float("box", edge) for edge in given.split(",")]
    if len(edges) != 4:
        raise bad_request(f"box: {given[:80]!r} is not x1,y1,x2,y2")
    return edges[0], edges[1], edges[2], edges[3]


def span(name: str, value: str) -> tuple[float | None, float | None] | None:
    """Return the ends of the range ``low..high``; None if ``value`` is not a range.

    Raises:
        RefusedError: an end is not a number.
    """
    low, dots, high = value.partition("..")
    if not dots:
        return None
    return (_float(name, low) if low else None), (_float(name, high) if high else None)


def _float(name: str, value: str) -> float:
    try:
        result = float(value)
    except ValueError:
        result = float("nan")
    if not math.isfinite(result):
        raise bad_request(f"{name}: {value[:40]!r} is not a number")
    return result
