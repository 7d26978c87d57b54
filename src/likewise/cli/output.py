"""Output on stdout and stderr: tables for people, JSON for programs."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

UNLIMITED_WIDTH = 1_000_000
"""Width of a table that is not printed to a terminal: no cell is folded or cut."""

SHOWN_OF_A_LIST = 3


def print_line(text: str) -> None:
    """Print a line of the result to stdout."""
    print(text)


def print_note(text: str) -> None:
    """Print a remark to stderr: progress, hints and errors."""
    print(text, file=sys.stderr)


def print_json(value: object) -> None:
    """Print data classes, mappings and lists as JSON; NaN becomes null."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def print_frame_json(frame: "pl.DataFrame") -> None:
    """Print the rows of a frame as a JSON list."""
    print(frame.write_json())


def print_frame(frame: "pl.DataFrame") -> None:
    """Print a frame as a table; long lists (vectors) are shortened to their first values."""
    print_table(frame.columns, frame.iter_rows())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print ``rows`` under ``columns``; cells are folded only on a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    listed = [list(row) for row in rows]
    grid = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        values = [row[number] for row in listed if row[number] is not None]
        numeric = bool(values) and all(isinstance(v, int | float) for v in values)
        justify = "right" if numeric else "left"
        grid.add_column(Text(cell(column)), overflow="fold", justify=justify)  # type: ignore[arg-type]
    for row in listed:
        grid.add_row(*(Text(cell(value)) for value in row))
    console = Console(width=None if terminal else UNLIMITED_WIDTH)
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        print(line.rstrip())


def cell(value: object) -> str:
    """Return ``value`` as text for a table: one line without control characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return _list(value)
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counts(values: Mapping[str, int]) -> str:
    """Return counts as one line: ``train 90, val 20``."""
    return ", ".join(f"{cell(name)} {number:,}" for name, number in values.items())


def _list(values: list[Any]) -> str:
    if len(values) <= SHOWN_OF_A_LIST + 1:
        return "[" + ", ".join(cell(v) for v in values) + "]"
    first = ", ".join(cell(v) for v in values[:SHOWN_OF_A_LIST])
    return f"[{first}, ... {len(values)} values]"


def _plain(value: Any) -> Any:
    """Convert ``value`` to the types of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        # Fields with repr=False are internal.
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.repr}
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
