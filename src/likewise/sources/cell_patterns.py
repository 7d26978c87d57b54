"""Columns of a table from the texts of its cells: with a prefix, or by regular expressions."""

from collections.abc import Mapping

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.sources.delimited_text import FindingRow
from likewise.sources.path_pattern import check_pattern, named_groups

_EXAMPLES = 3


def prefix_cells(
    frame: pl.DataFrame, prefixes: Mapping[str, str | None], where: str
) -> pl.DataFrame:
    """Put a text before the values of columns.

    Args:
        frame: columns of text, with ``:where``.
        prefixes: column -> text.
        where: path of the table, for messages.

    Raises:
        DataError: the table does not have the column.
    """
    for column, text in prefixes.items():
        _check_column(frame, column, f"{where}: prefix")
        frame = frame.with_columns((pl.lit(text or "") + pl.col(column)).alias(column))
    return frame


def extract_cells(
    frame: pl.DataFrame, patterns: Mapping[str, str | None], where: str
) -> tuple[pl.DataFrame, list[FindingRow]]:
    r"""Add the named groups of patterns that match the values of columns; and return findings.

    A group with the name of the column itself replaces the value.

    Args:
        frame: columns of text, with ``:where``.
        patterns: column -> regular expression, which must match the whole value.
        where: path of the table, for messages.

    Raises:
        ConfigError: a pattern is not a regular expression, or too large.
        DataError: the table does not have the column, or has that of a group.

    Example:
        >>> frame = pl.DataFrame({"name": ["cat/1.jpg"], ":where": ["a.txt: line 1"]})
        >>> pattern = r"(?P<label>[^/]+)/.*"
        >>> extract_cells(frame, {"name": pattern}, "a.txt")[0]["label"].to_list()
        ['cat']
    """
    findings: list[FindingRow] = []
    for column, pattern in patterns.items():
        _check_column(frame, column, f"{where}: extract")
        check_pattern(pattern or "")
        names = named_groups(pattern or "")
        if taken := sorted(({*names} - {column}) & {*frame.columns}):
            raise DataError(f"{where}: extract: the table has a column {taken[0]!r} already")
        whole = rf"\A(?:{pattern})\z"
        groups = frame.select(g=pl.col(column).str.extract_groups(whole)).unnest("g")
        is_match = frame[column].str.contains(whole)
        rest = frame.filter(~is_match & frame[column].is_not_null())[":where"]
        frame = frame.with_columns(groups[name].replace("", None) for name in names)
        if len(rest):
            detail = (
                f"{len(rest):,} of {counted(len(frame), 'row', 'does', 'do')} not match the "
                f"pattern: {bounded(rest.head(_EXAMPLES), len(rest), _EXAMPLES)}"
            )
            findings.append((f"{where}: {column}", "bad-value", detail))
    return frame, findings


def _check_column(frame: pl.DataFrame, column: str, place: str) -> None:
    if column not in frame.columns:
        names = [name for name in frame.columns if not name.startswith(":")]
        raise DataError(f"{place}: no column {column!r}; {hint(column, names)}")
