"""Tables in MATLAB's .mat files: struct arrays, cell arrays and lists of numbers."""

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.formats.matlab import CellArray, StructArray, Value, read_variables
from likewise.sources.box_source import RowBuffer

_MAX_PLAIN_DEPTH = 8


def read_matlab_table(
    where: str, data: bytes, variable: str, columns: Sequence[str] | Mapping[str, str] | None
) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """Read a variable of a .mat file as columns of text, with ``:where`` (number of the row).

    An element of a struct array is a row, its fields are columns. A cell array has its own
    rows and columns; one of a single row or column is a column. A list of numbers is a column.

    Args:
        where: path of the file, for messages.
        data: contents of the file.
        variable: name of the variable; "" for the only one that is a table.
        columns: see ``TextFormat.columns``.

    Raises:
        DamagedError: the file is damaged, or not of version 5.
        DataError: there is no such variable, or its columns differ from ``columns``.
    """
    values = read_variables(where, data)
    names, rows = _rows(where, _chosen(where, values, variable))
    if isinstance(columns, Mapping):
        names = [columns.get(name, name) for name in names]
    elif columns is not None:
        names = _listed(where, columns, names, [row for row in rows if len(row) != len(names)])
    keep = [at for at, name in enumerate(names) if name != "_"]
    kept = [names[at] for at in keep]
    if len(set(kept)) < len(kept):
        raise DataError(f"{where}: two columns have one name: {', '.join(kept)}")
    table = RowBuffer(dict.fromkeys((*kept, ":where"), pl.String))
    for number, row in enumerate(rows, start=1):
        table.add(*(_text(row[at]) or None for at in keep), f"{where}: row {number:,}")
    return table.frame(), []


def _listed(
    where: str, columns: Sequence[str], names: list[str], uneven: Sequence[object]
) -> list[str]:
    if uneven or len(columns) != len(names):
        raise DataError(
            f"{where}: it has {counted(len(names), 'column')}, and columns lists {len(columns)}"
        )
    return list(columns)


def _chosen(where: str, values: Mapping[str, Value], variable: str) -> Value:
    if variable:
        if variable not in values:
            raise DataError(f"{where}: no variable {variable!r}; {hint(variable, values)}")
        return values[variable]
    tables = [
        name for name, value in values.items() if not isinstance(value, str | int | float)
    ]
    if len(tables) != 1:
        present = bounded(values, len(values)) or "none"
        raise DataError(f"{where}: say which variable is the table (variable: ...): {present}")
    return values[tables[0]]


def _rows(where: str, value: Value) -> tuple[list[str], list[list[Value]]]:
    """Return names and rows of the table in ``value``."""
    if isinstance(value, StructArray):
        names = list(value.elements[0]) if value.elements else []
        return names, [[element.get(name, "") for name in names] for element in value.elements]
    if isinstance(value, CellArray):
        height, width = value.shape[0], value.shape[1] if len(value.shape) > 1 else 1
        if len(value.shape) != 2:
            raise DataError(
                f"{where}: the cell array has {counted(len(value.shape), 'dimension')}"
            )
        if 1 in (height, width):
            return ["column 1"], [[cell] for cell in value.values]
        rows = [[value.values[c * height + r] for c in range(width)] for r in range(height)]
        return [f"column {n}" for n in range(1, width + 1)], rows
    cells = value if isinstance(value, tuple) else (value,)
    return ["column 1"], [[cell] for cell in cells]


def _text(value: Value, depth: int = 0) -> str:
    """Return a value as text; lists and structs become JSON."""
    plain = _plain(value, depth)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _plain(value: Value, depth: int) -> object:
    if depth > _MAX_PLAIN_DEPTH:
        return ""
    if isinstance(value, float) and value == value // 1 and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, CellArray):
        cells = [_plain(cell, depth + 1) for cell in value.values]
        return cells[0] if len(cells) == 1 else cells
    if isinstance(value, StructArray):
        elements = [
            {name: _plain(cell, depth + 1) for name, cell in element.items()}
            for element in value.elements
        ]
        return elements[0] if len(elements) == 1 else elements
    return value.strip() if isinstance(value, str) else list(value)
