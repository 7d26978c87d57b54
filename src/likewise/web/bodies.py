"""Read the fields of JSON bodies that change the catalogue."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from likewise.formats.counted_nouns import counted
from likewise.web.answers import bad_request
from likewise.web.parameters import MOST_TEXT

MOST_ITEMS = 10_000
"""Largest number of items that one request names."""

_MOST_NAMES = 50
"""Largest number of columns or tags of one request."""

Wanted = str | None | dict[str, str | None]
"""A value for all items, or one for each of them."""


def item_ids(given: Mapping[str, Any], *, needed: bool = True) -> list[str]:
    """Return the field ``items``: ids of items.

    Raises:
        RefusedError: it is not a list of ids, or too long.
    """
    ids = _list(given, "items", MOST_ITEMS)
    if needed and not ids:
        raise bad_request("items: give the ids of items")
    return ids


def words(given: Mapping[str, Any], field: str) -> list[str]:
    """Return a field that is a list of texts; an absent one is empty.

    Raises:
        RefusedError: it is not a list of texts, or too long.
    """
    return _list(given, field, _MOST_NAMES)


def name_of(given: Mapping[str, Any], field: str) -> str:
    """Return a field that is a name.

    Raises:
        RefusedError: it is not a text, or too long.
    """
    value = given.get(field)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise bad_request(f"{field}: give a name")
    return plain_text(field, value)


def column_values(
    given: Mapping[str, Any], field: str, items: Iterable[str]
) -> dict[str, Wanted]:
    """Return a field that has values by column.

    A value is a text or null, for all items; or an object with one for each item. An empty
    text is the same as null.

    Raises:
        RefusedError: it has another form.
    """
    columns = given.get(field)
    if not isinstance(columns, dict) or not 0 < len(columns) <= _MOST_NAMES:
        raise bad_request(f"{field}: give an object of columns and values")
    known = set(items)
    values: dict[str, Wanted] = {}
    for column, value in columns.items():
        plain_text(field, column)
        if isinstance(value, dict):
            if value.keys() != known:
                raise bad_request(f"{field}: {column[:40]}: give a value for each item")
            values[column] = {item: _value(column, one) for item, one in value.items()}
        else:
            values[column] = _value(column, value)
    return values


def _value(column: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{column[:40]}: a value is a text or null")
    return plain_text(column, value) if value else None


def _list(given: Mapping[str, Any], field: str, most: int) -> list[str]:
    values = given.get(field, [])
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise bad_request(f"{field}: give a list of texts")
    if len(values) > most:
        raise bad_request(f"{field}: {counted(len(values), 'text')}; at most {most:,}")
    return [plain_text(field, one) for one in dict.fromkeys(values)]


def plain_text(field: str, value: str) -> str:
    """Return ``value``, a text that a line of a file can hold.

    Raises:
        RefusedError: it is too long, or has control characters or half of a character.
    """
    if len(value) > MOST_TEXT:
        raise bad_request(
            f"{field[:40]}: {counted(len(value), 'character')}; at most {MOST_TEXT:,}"
        )
    for character in value:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise bad_request(f"{field[:40]!a}: it contains a control character")
    return value
