"""Results on stdout: tables for people, JSON for programs."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

WIDE = 1_000_000
"""The width of a table that is not for a terminal: nothing in it is folded or cut."""

SHOWN_OF_A_LIST = 3


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)


def note(text: str) -> None:
    """Print a line that is about the result, not of it."""
    print(text, file=sys.stderr)


def as_json(value: object) -> None:
    """Print ``value``, of data classes, mappings and lists, as JSON; NaN becomes null."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def frame_as_json(frame: "pl.DataFrame") -> None:
    """Print a list of the frame's rows as JSON."""
    print(frame.write_json())


def frame_as_table(frame: "pl.DataFrame") -> None:
    """Print the frame's rows; a long list, a vector say, shows its first values and length."""
    table(frame.columns, frame.iter_rows())


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print ``rows`` under ``columns``: folded to a terminal's width, else never cut."""
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
    console = Console(width=None if terminal else WIDE)
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        print(line.rstrip())


def cell(value: object) -> str:
    """``value`` as a table shows it, in one line and with no control characters."""
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
    """Counts in a line: ``train 90, val 20``."""
    return ", ".join(f"{cell(name)} {number:,}" for name, number in values.items())


def _list(values: list[Any]) -> str:
    if len(values) <= SHOWN_OF_A_LIST + 1:
        return "[" + ", ".join(cell(v) for v in values) + "]"
    first = ", ".join(cell(v) for v in values[:SHOWN_OF_A_LIST])
    return f"[{first}, ... {len(values)} values]"


def _plain(value: Any) -> Any:
    """``value`` of what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        # What is not printed of an object is a tool of its methods, not a fact.
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
