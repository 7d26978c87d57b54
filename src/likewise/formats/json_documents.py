"""JSON documents within limits; repeated keys are an error."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from likewise.errors import DamagedError
from likewise.formats.document_limits import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_JSON_BYTES,
    TOO_DEEP,
    size_fault,
)

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_LONG_NUMBER = re.compile(r"[0-9]{19}")


def read_json(path: Path, most: int = MAX_JSON_BYTES) -> Any:
    """Read the JSON document in ``path``, which has at most ``most`` bytes.

    Raises:
        DamagedError: not UTF-8, not JSON, a repeated key, or more than the limits of
            ``document_limits``.
        OSError: the file cannot be read.
    """
    fault = size_fault(path.stat().st_size, most)
    if fault:
        raise DamagedError(f"{path}: {fault}")
    return parse_json(path.read_bytes(), str(path))


def parse_json(
    data: str | bytes,
    where: str,
    build: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Parse the JSON document ``data``.

    Args:
        data: the document; bytes are UTF-8.
        where: its origin, for messages.
        build: makes an object of its pairs of keys and values; by default a dictionary.

    Raises:
        DamagedError: not UTF-8, not JSON, a repeated key, or more than the limits of
            ``document_limits``.
    """
    fault, value = size_fault(len(data), MAX_JSON_BYTES), None
    try:
        if not fault:
            text = data if isinstance(data, str) else data.decode("utf-8-sig")
            number: Any = {"parse_int": _integer} if _LONG_NUMBER.search(text) else {}
            value = json.loads(text, object_pairs_hook=build or _object, **number)
            fault = "" if _depth(text) <= MAX_DEPTH else TOO_DEEP
    except RecursionError:
        fault = TOO_DEEP
    except ValueError as error:
        fault = str(error)
    if fault:
        raise DamagedError(f"{where} is not JSON in UTF-8: {fault}")
    return value


def repeats_keys(data: bytes, value: object) -> bool:
    """Return whether an object of the JSON document ``data`` repeats a key.

    Other parsers keep the last value, so that the first is lost without an error; ``value`` is
    the result of such a parser.
    """
    # Each key has one colon. More colons are in texts, or belong to keys that were lost.
    return data.count(b":") != _count_keys(value) and _has_repeated_keys(data)


def repeats_fields(
    data: bytes, fields: re.Pattern[bytes], *, with_escapes: bool = True
) -> bool:
    """Like ``repeats_keys``, for an object of which only some fields were parsed.

    Args:
        data: a JSON document.
        fields: see ``fields_pattern``.
        with_escapes: also find keys that are spelled with escapes; any text with a backslash
            then takes a second parser.
    """
    names = fields.findall(data)
    suspicious = len(names) != len(set(names)) or (with_escapes and b"\\" in data)
    return suspicious and _has_repeated_keys(data)


def fields_pattern(*names: str) -> re.Pattern[bytes]:
    """Return the pattern by which ``repeats_fields`` finds the fields ``names``."""
    return re.compile(rb'"(%s)"\s*:' % "|".join(map(re.escape, names)).encode())


def _count_keys(value: object) -> int:
    count, pending = 0, [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            count += len(part)
            pending += part.values()
        elif isinstance(part, list):
            pending += [item for item in part if isinstance(item, dict | list)]
    return count


def _has_repeated_keys(data: bytes) -> bool:
    try:
        json.loads(data, object_pairs_hook=_object)
    except _RepeatedKeyError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


class _RepeatedKeyError(ValueError):
    """An object has two values with the same key."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _RepeatedKeyError(f"the key {repeated!r} is repeated")
    return values


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) >= MAX_INTEGER:
        raise ValueError(f"the number {text[:12]}... has more than 64 bits")
    return value


def _depth(text: str) -> int:
    """Return the number of nested lists and objects of a valid document."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first != '"':
            depth -= 1
    return deepest
