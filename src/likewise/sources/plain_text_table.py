"""Read large tables of plain text at once: no quotes, no faults, UTF-8.

The result equals that of ``delimited_text``, which reads line by line and knows every fault. A
table with anything unusual is left to it.
"""

import re

import polars as pl
from polars.exceptions import PolarsError

_MIN_BYTES = 1 << 16
"""Smaller tables are read line by line."""

_MAX_FIELD = 131_072
"""Maximum size of a field that Python's csv module reads."""

_MARK = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8."""

_ODD = re.compile(rb"\n\r?\n|\r(?!\n)|[\x00\x1c-\x1f]")
"""Empty lines, other line ends, and characters that count as blanks in Python alone."""


def read_plain(  # noqa: PLR0913, PLR0917 (the format of a table)
    data: bytes,
    where: str,
    names: list[str],
    delimiter: str,
    quote: str,
    first_line: int,
    least: int = _MIN_BYTES,
) -> pl.DataFrame | None:
    """Return the rows of a table as columns of text with ``:where``; None if it is not plain.

    Args:
        data: the whole table in UTF-8.
        where: its path.
        names: names of its columns.
        delimiter: one character.
        quote: character around fields; "" for none.
        first_line: number of lines before the first row.
        least: size from which a table is read at once.
    """
    if len(data) < least or len(delimiter) != 1 or not names:
        return None
    body = _after_lines(data.removeprefix(_MARK), first_line)
    if (
        not body
        or (quote and quote.encode() in body)
        or body.startswith((b"\n", b"\r", _MARK))  # polars drops a mark, here a character
        or _ODD.search(body)
    ):
        return None
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            separator=delimiter,
            quote_char=None,
            schema=dict.fromkeys(names, pl.String),
        )
    except PolarsError:
        return None
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    separators = body.count(delimiter.encode())
    longest = frame.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item()
    is_even = frame.height == lines and separators == lines * (len(names) - 1)
    if not is_even or longest > _MAX_FIELD:
        return None
    del body
    stripped = pl.all().str.strip_chars()
    number = pl.int_range(first_line + 1, first_line + 1 + pl.len(), dtype=pl.Int64)
    return frame.select(
        pl.when(stripped != "").then(stripped).name.keep(),
        pl.format("{}: line {}", pl.lit(where), with_commas(number)).alias(":where"),
    )


def _after_lines(data: bytes, count: int) -> bytes:
    """Return what follows the first ``count`` lines; b"" if there are fewer."""
    start = 0
    for _ in range(count):
        start = data.find(b"\n", start) + 1
        if not start:
            return b""
    return data[start:]


def with_commas(number: pl.Expr) -> pl.Expr:
    """Return numbers as text with a comma before each three digits.

    Example:
        >>> numbers = pl.Series([7, 1000, 1_234_567])
        >>> pl.select(with_commas(pl.lit(numbers))).to_series().to_list()
        ['7', '1,000', '1,234,567']
    """
    parts = [((number // 1000**at) % 1000).cast(pl.String).str.zfill(3) for at in (3, 2, 1, 0)]
    text = pl.concat_str(parts, separator=",")
    return text.str.replace(r"\A[0,]*([0-9])", "$1")
