"""Tables in MATLAB's .mat files of version 5, as devkits of data sets hold them.

Source: MathWorks, MAT-File Format, "Level 5 MAT-File Format". A reader of our own, for texts,
numbers, cell arrays and structs: the well-known one ends the whole process on damaged files.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from likewise.errors import DamagedError, DataError, bounded

_HEADER = 128
_MOST = 1 << 28
"""So many bytes at most a variable unpacks to."""
_DEEPEST = 8
_SMALLEST = 8
"""No element is smaller than its tag, so that a count of elements has a bound."""

_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR, _NUMERIC = 1, 2, 4, range(6, 16)
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_NUMBERS |= {12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 16: "utf-8"}
_WIDE = {4: "utf-16", 17: "utf-16", 18: "utf-32"}

Plain = str | int | float | tuple[float, ...]
"""A text; a number; several numbers."""


@dataclass(frozen=True)
class Cells:
    """A cell array: its shape, and its values by columns."""

    shape: tuple[int, ...]
    values: "list[Value]"


@dataclass(frozen=True)
class Structs:
    """A struct array: field -> value, an element each."""

    elements: "list[dict[str, Value]]"


Value = Plain | Cells | Structs


def variables(where: str, data: bytes) -> dict[str, Value]:
    """The variables of a .mat file; what is neither text, number, cell nor struct is "".

    Raises:
        DamagedError: it is no .mat of version 5, or damaged.
    """
    if b"\x89HDF\r\n\x1a\n" in data[:520] or data.startswith(b"MATLAB 7.3"):
        raise DamagedError(f"{where} is a .mat of version 7.3; save it in MATLAB as '-v7'")
    if not data.startswith(b"MATLAB 5.0"):
        raise DamagedError(f"{where} is no .mat of version 5; fetch it again")
    try:
        return dict(_variables(data))
    except (ValueError, struct.error, zlib.error, OverflowError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedError(
            f"{where} is damaged or cut short ({said}); fetch it again"
        ) from error


def cells(where: str, data: bytes, name: str, columns: int) -> list[tuple[str | int, ...]]:
    """The rows of the cell array ``name``: texts and whole numbers, "" where a cell is empty.

    Raises:
        DataError: there is no such variable, or it has another shape or other values.
    """
    value = _named(where, data, name)
    if not isinstance(value, Cells) or len(value.shape) != 2 or columns not in value.shape:
        raise DataError(f"{where}: {name} is no cell array of {columns} columns")
    rows, wide = value.shape
    if wide != columns:
        ordered = value.values
        rows = wide
    else:
        ordered = [value.values[c * rows + r] for r in range(rows) for c in range(columns)]
    flat = [whole(where, name, cell) for cell in ordered]
    return [tuple(flat[at : at + columns]) for at in range(0, len(flat), columns)]


def structs(where: str, data: bytes, name: str) -> list[dict[str, Value]]:
    """The elements of the struct array ``name``.

    Raises:
        DataError: there is no such variable, or it is something else.
    """
    value = _named(where, data, name)
    if not isinstance(value, Structs):
        raise DataError(f"{where}: {name} is no array of structs")
    return value.elements


def whole(where: str, name: str, value: Value) -> str | int:
    """``value`` where it is a text or a whole number.

    Raises:
        DataError: it is something else.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and value == value // 1:
        return int(value)
    raise DataError(f"{where}: a cell of {name} is no text and no whole number")


def _named(where: str, data: bytes, name: str) -> Value:
    there = variables(where, data)
    if name not in there:
        raise DataError(
            f"{where} holds no variable {name!r}; there is: {bounded(there, len(there))}"
        )
    return there[name]


def _variables(data: bytes) -> Iterator[tuple[str, Value]]:
    order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
    if order is None:
        raise ValueError("its header does not say the order of its bytes")
    for kind, found in _elements(memoryview(data)[_HEADER:], order):
        payload = found
        if kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            unpacked = inflate.decompress(payload, _MOST)
            if inflate.unconsumed_tail or not inflate.eof:
                raise ValueError("a variable is cut short, or too large")
            kind, payload, _ = _element(memoryview(unpacked), 0, order)  # noqa: PLW2901
        if kind == _MATRIX:
            yield _matrix(payload, order, 0)


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        kind, payload, at = _element(data, at, order)
        yield kind, payload


def _element(data: memoryview, at: int, order: str) -> tuple[int, memoryview, int]:
    """One element: its type, its bytes, and where the next begins."""
    first, size = struct.unpack_from(f"{order}II", data, at)
    if first >> 16:  # a small one: type and size in four bytes, and its bytes in four more
        size, first = first >> 16, first & 0xFFFF
        if size > 4:
            raise ValueError("a small element is too large")
        return first, data[at + 4 : at + 4 + size], at + 8
    end = at + 8 + size
    if end > len(data):
        raise ValueError("it ends too early")
    return first, data[at + 8 : end], end if first == _COMPRESSED else end + -size % 8


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, Value]:
    """The name and value of an array."""
    if not len(data):
        return "", ""
    if depth > _DEEPEST:
        raise ValueError("its arrays lie too deep in each other")
    _, flags, at = _element(data, 0, order)
    kind = struct.unpack_from(f"{order}I", flags)[0] & 0xFF
    _, sizes, at = _element(data, at, order)
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    _, name, at = _element(data, at, order)
    rest = data[at:]
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError("an array has no shape")
    if kind == _CHAR:
        return _text(name), _characters(rest, order)
    if kind in _NUMERIC:
        return _text(name), _number(rest, order)
    if kind == _CELL:
        found = _children(rest, order, prod(shape), depth)
        return _text(name), Cells(shape, found)
    if kind == _STRUCT:
        return _text(name), _struct(rest, order, prod(shape), depth)
    return _text(name), ""


def _children(data: memoryview, order: str, count: int, depth: int) -> list[Value]:
    if count * _SMALLEST > len(data):
        raise ValueError("it ends too early")
    values: list[Value] = []
    for kind, payload in _elements(data, order):
        if kind != _MATRIX:
            raise ValueError("a cell is no array")
        values.append(_matrix(payload, order, depth + 1)[1])
    if len(values) != count:
        raise ValueError("it has another number of cells than it says")
    return values


def _struct(data: memoryview, order: str, count: int, depth: int) -> Structs:
    _, length, at = _element(data, 0, order)
    (wide,) = struct.unpack_from(f"{order}i", length)
    _, names, at = _element(data, at, order)
    if wide < 1 or len(names) % wide:
        raise ValueError("the names of its fields are cut short")
    fields = [_text(names[n : n + wide]) for n in range(0, len(names), wide)]
    values = _children(data[at:], order, count * len(fields), depth)
    step = len(fields) or 1
    rows = [values[n : n + step] for n in range(0, len(values), step)]
    return Structs([dict(zip(fields, row, strict=True)) for row in rows])


def _text(name: memoryview) -> str:
    return bytes(name).split(b"\0")[0].decode("latin-1")


def _characters(data: memoryview, order: str) -> str:
    if not len(data):
        return ""
    kind, payload, _ = _element(data, 0, order)
    end = {"<": "-le", ">": "-be"}[order]
    encoding = _TEXTS.get(kind) or f"{_WIDE[kind]}{end}" if kind in (*_TEXTS, *_WIDE) else ""
    if not encoding:
        raise ValueError(f"its texts are of type {kind}")
    return bytes(payload).decode(encoding)


def _number(data: memoryview, order: str) -> Plain:
    kind, payload, _ = _element(data, 0, order)
    if kind not in _NUMBERS:
        raise ValueError(f"its numbers are of type {kind}")
    values = np.frombuffer(payload, f"{order}{_NUMBERS[kind]}").tolist()
    if not values:
        return ""
    return values[0] if len(values) == 1 else tuple(values)
