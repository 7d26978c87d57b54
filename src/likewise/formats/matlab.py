"""Read tables in MATLAB's .mat files of version 5, as used in devkits of data sets.

Text, numbers, cell arrays and structs are supported. SciPy's reader is not used because it
aborts the process on damaged files. Source: MathWorks, MAT-File Format, "Level 5 MAT-File
Format".
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from likewise.errors import DamagedError, DataError, bounded
from likewise.formats.counted_nouns import counted

_HEADER = 128
_MAX_BYTES = 1 << 28
"""Maximum size of a decompressed variable in bytes."""
_MAX_DEPTH = 8
_MIN_ELEMENT_BYTES = 8
"""Size of an element's tag, which bounds the number of elements."""

_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR, _NUMERIC = 1, 2, 4, range(6, 16)
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_NUMBERS |= {12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 16: "utf-8"}
_WIDE = {4: "utf-16", 17: "utf-16", 18: "utf-32"}

Plain = str | int | float | tuple[float, ...]
"""Text, a number, or several numbers."""


@dataclass(frozen=True)
class CellArray:
    """A cell array: its shape, and its values in column-major order."""

    shape: tuple[int, ...]
    values: "list[Value]"


@dataclass(frozen=True)
class StructArray:
    """A struct array: one dictionary (field -> value) per element."""

    elements: "list[dict[str, Value]]"


Value = Plain | CellArray | StructArray


def read_variables(where: str, data: bytes) -> dict[str, Value]:
    """Return the variables of a .mat file: name -> value; unsupported types become "".

    Args:
        where: origin of ``data``, for messages.
        data: contents of the file.

    Raises:
        DamagedError: the file is damaged, or not a .mat file of version 5.
    """
    if b"\x89HDF\r\n\x1a\n" in data[:520] or data.startswith(b"MATLAB 7.3"):
        raise DamagedError(f"{where} is a .mat of version 7.3; save it in MATLAB as '-v7'")
    if not data.startswith(b"MATLAB 5.0"):
        raise DamagedError(f"{where} is not a .mat file of version 5; download it again")
    try:
        return dict(_variables(data))
    except (ValueError, struct.error, zlib.error, OverflowError) as error:
        message = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedError(
            f"{where} is damaged or truncated ({message}); download it again"
        ) from error


def read_cells(where: str, data: bytes, name: str, columns: int) -> list[tuple[str | int, ...]]:
    """Return the rows of the cell array ``name``: text and integers, "" for empty cells.

    Raises:
        DataError: the variable is missing, or has another shape or other values.
    """
    value = _variable(where, data, name)
    if not isinstance(value, CellArray) or len(value.shape) != 2 or columns not in value.shape:
        raise DataError(f"{where}: {name} is not a cell array of {counted(columns, 'column')}")
    rows, wide = value.shape
    if wide != columns:
        ordered = value.values
        rows = wide
    else:
        ordered = [value.values[c * rows + r] for r in range(rows) for c in range(columns)]
    flat = [text_or_int(where, name, cell) for cell in ordered]
    return [tuple(flat[at : at + columns]) for at in range(0, len(flat), columns)]


def read_structs(where: str, data: bytes, name: str) -> list[dict[str, Value]]:
    """Return the elements of the struct array ``name``.

    Raises:
        DataError: the variable is missing, or not a struct array.
    """
    value = _variable(where, data, name)
    if not isinstance(value, StructArray):
        raise DataError(f"{where}: {name} is not a struct array")
    return value.elements


def text_or_int(where: str, name: str, value: Value) -> str | int:
    """Return ``value`` as stripped text or as an integer.

    Raises:
        DataError: ``value`` is neither text nor an integer.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and value == value // 1:
        return int(value)
    raise DataError(f"{where}: a cell of {name} is neither text nor an integer")


def _variable(where: str, data: bytes, name: str) -> Value:
    values = read_variables(where, data)
    if name not in values:
        raise DataError(
            f"{where} has no variable {name!r}; it has: {bounded(values, len(values))}"
        )
    return values[name]


def _variables(data: bytes) -> Iterator[tuple[str, Value]]:
    order = {b"IM": "<", b"MI": ">"}.get(data[126:_HEADER])
    if order is None:
        raise ValueError("its header does not define the byte order")
    for kind, element in _elements(memoryview(data)[_HEADER:], order):
        payload = element
        if kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            unpacked = inflate.decompress(payload, _MAX_BYTES)
            if inflate.unconsumed_tail or not inflate.eof:
                raise ValueError("a variable is truncated or too large")
            kind, payload, _ = _element(memoryview(unpacked), 0, order)  # noqa: PLW2901
        if kind == _MATRIX:
            yield _matrix(payload, order, 0)


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        kind, payload, at = _element(data, at, order)
        yield kind, payload


def _element(data: memoryview, at: int, order: str) -> tuple[int, memoryview, int]:
    """Return type and bytes of the element at ``at``, and the position of the next one."""
    first, size = struct.unpack_from(f"{order}II", data, at)
    if first >> 16:  # small element: type and size in four bytes, data in four more
        size, first = first >> 16, first & 0xFFFF
        if size > 4:
            raise ValueError("a small element is too large")
        return first, data[at + 4 : at + 4 + size], at + 8
    end = at + 8 + size
    if end > len(data):
        raise ValueError("unexpected end of file")
    return first, data[at + 8 : end], end if first == _COMPRESSED else end + -size % 8


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, Value]:
    """Return name and value of an array element."""
    if not len(data):
        return "", ""
    if depth > _MAX_DEPTH:
        raise ValueError("its arrays are nested too deeply")
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
        values = _children(rest, order, prod(shape), depth)
        return _text(name), CellArray(shape, values)
    if kind == _STRUCT:
        return _text(name), _struct(rest, order, prod(shape), depth)
    return _text(name), ""


def _children(data: memoryview, order: str, count: int, depth: int) -> list[Value]:
    if count * _MIN_ELEMENT_BYTES > len(data):
        raise ValueError("unexpected end of file")
    values: list[Value] = []
    for kind, payload in _elements(data, order):
        if kind != _MATRIX:
            raise ValueError("a cell is not an array")
        values.append(_matrix(payload, order, depth + 1)[1])
    if len(values) != count:
        raise ValueError("the number of cells differs from the announced one")
    return values


def _struct(data: memoryview, order: str, count: int, depth: int) -> StructArray:
    _, length, at = _element(data, 0, order)
    (name_length,) = struct.unpack_from(f"{order}i", length)
    _, names, at = _element(data, at, order)
    if name_length < 1 or len(names) % name_length:
        raise ValueError("the names of its fields are truncated")
    fields = [_text(names[n : n + name_length]) for n in range(0, len(names), name_length)]
    values = _children(data[at:], order, count * len(fields), depth)
    step = len(fields) or 1
    rows = [values[n : n + step] for n in range(0, len(values), step)]
    return StructArray([dict(zip(fields, row, strict=True)) for row in rows])


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
