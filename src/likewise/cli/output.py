"""Output: results on stdout, for people and programs; notes and hints on stderr."""

import json
import math
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from likewise.cli.terminal_text import (
    paragraph,
    shortened,
    terminal_width,
    width,
    wrapped,
)
from likewise.cli.text_table import (
    GAP,
    NumberStyle,
    TextColumn,
    cell,
    field_lines,
    table_lines,
    text_columns,
    useful,
)
from likewise.formats.escape import escape_json, escape_lines

if TYPE_CHECKING:
    import polars as pl


def print_line(text: str) -> None:
    """Print text of the result to stdout; on a terminal, break its lines between words."""
    most = terminal_width(sys.stdout)
    text = escape_lines(text)
    for line in paragraph(text, most) if most else [text]:
        print(line)


def print_note(text: str) -> None:
    """Print a remark to stderr: progress, hints and errors."""
    most = terminal_width(sys.stderr)
    text = escape_lines(text)
    for line in paragraph(text, most) if most else [text]:
        print(line, file=sys.stderr)


def print_next(command: str) -> None:
    """Print the next step to stderr.

    In a stage of DVC that other stages follow, nothing is printed: `dvc repro` runs them next.
    """
    if "DVC_STAGE" not in os.environ:
        print_note(f"next: {command}")


def print_tip(command: str) -> None:
    """Print the next step of a command that reads, unless a program reads the output."""
    if sys.stdout.isatty():
        print_next(command)


def print_markdown(text: str) -> None:
    """Print Markdown to stdout; its lines are not broken."""
    print(escape_lines(text))


def print_command(line: str) -> None:
    """Print a command to stdout; its line is not broken, so that a shell can read it."""
    print(escape_lines(line))


def print_json(value: object) -> None:
    """Print data classes, mappings, lists and frames as JSON; NaN becomes null."""
    print(escape_json(json.dumps(_plain(value), indent=2, ensure_ascii=False)))


def print_json_with_rows(record: Mapping[str, object], name: str, rows: "pl.DataFrame") -> None:
    """Print a mapping as JSON; its last entry, ``name``, is the list of the rows of a frame.

    The output is that of ``print_json``, 20 times as fast for 12,000 rows with lists.
    """
    import msgspec

    head = json.dumps(_plain({**record, name: None}), ensure_ascii=False)
    text = escape_json(
        f"{head.removesuffix('null}')}{_in_double_precision(rows).write_json()}}}"
    )
    try:
        document = msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:  # a name that is not valid UTF-8
        print_json({**record, name: rows.to_dicts()})
    else:
        print(document)


def _in_double_precision(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Widen numbers and lists of 32 bits, so that they have the digits of Python's numbers."""
    import polars as pl

    wide = {pl.Float32(): pl.Float64(), pl.List(pl.Float32): pl.List(pl.Float64)}
    return rows.cast({name: wide[kind] for name, kind in rows.schema.items() if kind in wide})


def print_frame_json(frame: "pl.DataFrame") -> None:
    """Print the rows of a frame as a JSON list."""
    print(escape_json(frame.write_json()))


def print_frame(
    frame: "pl.DataFrame", *, given: Collection[str] = (), digits: int = 6
) -> list[str]:
    """Print a frame as a table, see ``print_table``; long lists are shortened."""
    style = NumberStyle(digits)
    columns = text_columns(frame.columns, frame.iter_rows(), style)
    return _print_columns(columns, given)


def print_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    given: Collection[str] = (),
    digits: int = 4,
) -> list[str]:
    """Print ``rows`` under ``heads``.

    On a terminal the table fits the width: sentences are wrapped, long ids are shortened in
    the middle, and a table that is still too wide is printed as records with one field per
    line. Columns that are empty or repeat an argument are left out. In a pipe every column and
    every cell is complete.

    Args:
        heads: heads of the columns.
        rows: values of the rows.
        given: arguments of the command.
        digits: significant digits of the largest fraction of a column.

    Returns:
        The heads of empty columns that were left out.
    """
    style = NumberStyle(digits, grouped=sys.stdout.isatty(), strip=False)
    return _print_columns(text_columns(heads, rows, style), given)


def _print_columns(columns: list[TextColumn], given: Collection[str]) -> list[str]:
    most = terminal_width(sys.stdout)
    empty: list[str] = []
    if most is not None and not any(column.cells for column in columns):
        print("no rows")
        return []
    if most is not None:
        columns, empty = useful(columns, given)
    for line in table_lines(columns, most):
        print(line)
    return empty


def print_facts(facts: Iterable[tuple[str, str]], least: int = 0) -> None:
    """Print names with their texts; a name without text is left out.

    Args:
        facts: names and texts; a text can have several lines.
        least: smallest width of the names.
    """
    listed = [(cell(name), escape_lines(text)) for name, text in facts if text]
    most = terminal_width(sys.stdout)
    size = max((width(name) for name, _ in listed), default=0)
    if most is not None:
        size = min(size, most // 3)
    size = max(size, least - len(GAP))
    for name, text in listed:
        head, lines = name, text.split("\n")
        if most is not None:
            room = most - size - len(GAP)
            lines = [part for line in lines for part in wrapped(line, room)]
            if width(name) > size:
                print(shortened(name, most))
                head = ""
        for line in field_lines(head, lines, size) if most else _whole(name, lines, size):
            print(line)


def _whole(name: str, lines: Sequence[str], size: int) -> Iterable[str]:
    """Yield the lines of a fact in full."""
    for number, line in enumerate(lines):
        yield f"{'' if number else name:<{size}}{GAP}{line}"


def counts(values: Mapping[str, int]) -> str:
    """Return counts as one line: ``train 90, val 20``."""
    return ", ".join(f"{cell(name)} {number:,}" for name, number in values.items())


def _plain(value: Any) -> Any:
    """Convert ``value`` to the types of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        # Fields with repr=False are internal.
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.repr}
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump(mode="json"))
    if hasattr(value, "write_json"):  # a frame of polars
        return json.loads(value.write_json())
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
