"""Tables of text: on a terminal they fit its width, in a pipe they are complete."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from likewise.cli.terminal_text import shortened, width, wrapped, wrapped_command
from likewise.formats.counted_nouns import counted
from likewise.formats.escape import escape_line

GAP = "  "

_PROSE = frozenset(
    {
        "changed",
        "definition",
        "description",
        "detail",
        "message",
        "models",
        "names",
        "options",
        "problem",
        "published numbers",
        "remark",
        "remarks",
        "summary",
        "text",
        "title",
        "type",
        "weights",
        "what",
    }
)
"""Heads of columns whose cells are sentences: they are wrapped, others are shortened."""

_LEAST = {"id": 24, "prose": 16}
"""Smallest readable width of ids and of sentences."""

_WORD_MOST = 24
"""Length of the longest word for which a column of sentences is widened."""

_HEAD_LEAST = 12
_FIGURE = r"[+-]?[\d,]+(\.\d+)?( ?(%|[kMGT]?B|m?s))?"
_NUMBERS = re.compile(rf"{_FIGURE}( (to|of|min|h) {_FIGURE}(min)?)?")
"""Text of numbers: ``12.3 MB``, ``3 min 05 s``, ``0.61 to 0.72``."""

_LISTED = 3
"""Number of values of a long list that a cell shows."""


@dataclass(frozen=True)
class NumberStyle:
    """Format of the numbers of a column.

    Attributes:
        digits: significant digits of the largest fraction.
        grouped: write integers with thousands separators.
        strip: leave out decimals that are 0 in all rows.
    """

    digits: int = 6
    grouped: bool = False
    strip: bool = True


PLAIN = NumberStyle()

Nature = Literal["number", "id", "prose", "command"]


@dataclass(frozen=True)
class TextColumn:
    """A column of a table.

    Attributes:
        head: its head.
        cells: its cells, each one line without control characters.
        nature: ``number`` and ``command`` are never cut, ``id`` is shortened in the middle,
            ``prose`` is wrapped at words.
    """

    head: str
    cells: tuple[str, ...]
    nature: Nature

    @cached_property
    def body(self) -> int:
        """Width of the widest cell."""
        return max(map(width, self.cells), default=0)

    @property
    def natural(self) -> int:
        """Width of the column if nothing is shortened."""
        return max(width(self.head), self.body)

    @property
    def folded(self) -> int:
        """Width of the column if only its head may be shortened."""
        return max(self.body, self._head_least)

    @property
    def least(self) -> int:
        """Smallest width at which the column is readable."""
        if self.nature not in _LEAST:
            return self.folded
        words = max((width(w) for text in self.cells for w in text.split()), default=0)
        floor = _LEAST[self.nature]
        if self.nature == "prose":
            floor = max(floor, min(words, _WORD_MOST))
        return max(min(self.body, floor), self._head_least)

    @property
    def _head_least(self) -> int:
        return min(max(map(width, self.head.split()), default=0), _HEAD_LEAST)

    def lines(self, text: str, most: int) -> list[str]:
        """Return the lines of a cell, each at most ``most`` characters wide."""
        if self.nature == "prose":
            return wrapped(text, most)
        if self.nature == "command" and width(text) > most:
            return wrapped_command(text, most)
        return [shortened(text, most)]


def text_columns(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    style: NumberStyle = PLAIN,
) -> list[TextColumn]:
    """Return the columns of a table; the numbers of a column have equal decimals."""
    listed = [list(row) for row in rows]
    return [
        _column(escape_line(head), [row[number] for row in listed], style)
        for number, head in enumerate(heads)
    ]


def _column(head: str, values: list[Any], style: NumberStyle) -> TextColumn:
    present = [value for value in values if value is not None]
    if present and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return TextColumn(head, tuple(number_texts(values, style)), "number")
    cells = tuple(map(cell, values))
    filled = [text for text in cells if text]
    if filled and all(map(_NUMBERS.fullmatch, filled)):
        return TextColumn(head, cells, "number")
    prose: Nature = "prose" if head in _PROSE else "id"
    return TextColumn(head, cells, "command" if head == "command" else prose)


def cell(value: object) -> str:
    """Return ``value`` as text for a table: one line without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        if len(value) <= _LISTED + 1:
            return f"[{', '.join(map(cell, value))}]"
        return f"[{', '.join(map(cell, value[:_LISTED]))}, ... {counted(len(value), 'value')}]"
    return escape_line(str(value))


def number_texts(values: Sequence[float | None], style: NumberStyle) -> list[str]:
    """Return numbers as text with the same decimals, and None as an empty text.

    The largest number has ``style.digits`` significant digits and the smallest number at least
    three. If this needs too many digits, all numbers are written with an exponent.
    """
    digits = style.digits
    if all(isinstance(value, int) for value in values if value is not None):
        form = "," if style.grouped else ""
        return ["" if value is None else f"{value:{form}}" for value in values]
    finite = [abs(v) for v in values if v is not None and math.isfinite(v)]
    large = _integer_digits(max(finite, default=0.0))
    # Zero up to rounding needs no digits of its own.
    small = _integer_digits(min((v for v in finite if v > 10.0 ** (large - 13)), default=0.0))
    decimals = max(0, digits - large, 3 - small)
    if large > 15 or decimals > 9:
        return ["" if value is None else f"{value:.{digits - 1}e}" for value in values]
    texts = ["" if value is None else f"{value:.{decimals}f}" for value in values]
    digits_only = [text for text in texts if text[-1:].isdigit()]
    zeros = min((len(text) - len(text.rstrip("0")) for text in digits_only), default=0)
    cut = min(zeros, decimals) if style.strip else 0
    cut += cut == decimals > 0  # the point goes with the last decimal
    return [text[: len(text) - cut] if text[-1:].isdigit() else text for text in texts]


def _integer_digits(value: float) -> int:
    """Return the number of digits before the point; 0 or less for a value below 1."""
    return math.floor(math.log10(value)) + 1 if value else 0


def useful(
    columns: Iterable[TextColumn], given: Collection[str] = ()
) -> tuple[list[TextColumn], list[str]]:
    """Return the columns that are not left out, and the heads of those that are empty.

    A column is left out if it is empty, or repeats an argument (one of ``given``) in all rows.
    """
    kept: list[TextColumn] = []
    empty: list[str] = []
    for column in columns:
        values = set(column.cells)
        if values <= {""}:
            empty.append(column.head)
        elif not (len(values) == 1 and values <= set(given)):
            kept.append(column)
    return kept, empty


def table_lines(columns: Sequence[TextColumn], most: int | None = None) -> Iterator[str]:
    """Yield the lines of a table.

    If the table is wider than ``most`` characters, yield records with one field per line.
    Without ``most``, nothing is shortened.
    """
    widths = [column.natural for column in columns]
    if most is not None and sum(widths) + len(GAP) * (len(columns) - 1) > most:
        fitted = _fitted(columns, most)
        if fitted is None:
            yield from _record_lines(columns, most)
            return
        widths = fitted
    if not columns:
        return
    pairs = list(zip(columns, widths, strict=True))
    yield from _row([wrapped(column.head, size) for column, size in pairs], pairs)
    if most is not None:
        yield GAP.join("-" * size for size in widths)
    for cells in zip(*(column.cells for column in columns), strict=True):
        texts = zip(pairs, cells, strict=True)
        yield from _row([column.lines(text, size) for (column, size), text in texts], pairs)


def _fitted(columns: Sequence[TextColumn], most: int) -> list[int] | None:
    """Shorten heads first, then sentences, then the last ids, and return the widths."""
    excess = sum(column.natural for column in columns) + len(GAP) * (len(columns) - 1) - most
    widths = [column.natural for column in columns]
    numbers = range(len(columns))
    ids = [n for n in reversed(numbers) if columns[n].nature == "id"]
    prose = [n for n in numbers if columns[n].nature == "prose"]
    prose.sort(key=lambda n: -columns[n].body)
    for order, least in (
        (numbers, "folded"),
        (prose, "least"),
        (ids, "least"),
    ):
        for number in order:
            smallest: int = getattr(columns[number], least)
            cut = min(excess, widths[number] - smallest)
            if cut > 0:
                widths[number] -= cut
                excess -= cut
    return widths if excess <= 0 else None


def _row(lines: Sequence[list[str]], pairs: Sequence[tuple[TextColumn, int]]) -> Iterator[str]:
    """Yield the lines of a row; numbers are right-aligned."""
    for number in range(max(map(len, lines), default=0)):
        parts = []
        for (column, size), texts in zip(pairs, lines, strict=True):
            text = texts[number] if number < len(texts) else ""
            space = " " * (size - width(text))
            parts.append(space + text if column.nature == "number" else text + space)
        yield GAP.join(parts).rstrip()


def _record_lines(columns: Sequence[TextColumn], most: int) -> Iterator[str]:
    """Yield every row as lines of one field each; empty fields are left out."""
    size = min(max(width(column.head) for column in columns), max(8, most * 2 // 5))
    for number, cells in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if number:
            yield ""
        for column, text in zip(columns, cells, strict=True):
            if text:
                yield from field_lines(column.head, column.lines(text, most - size - 2), size)


def field_lines(name: str, lines: Sequence[str], size: int) -> Iterator[str]:
    """Yield a name of ``size`` characters with the lines of its value next to it."""
    head = shortened(name, size)
    for number, line in enumerate(lines):
        left = "" if number else head
        yield f"{left}{' ' * (size - width(left))}{GAP}{line}".rstrip()
