"""Lists in the cells of a table of text."""

import re

import msgspec
import polars as pl

from likewise.errors import DataError, hint
from likewise.sources.annotation_files import JSON_ERRORS

_SEPARATORS = re.compile(r"[\s,;|]+")


def cell_list(text: str) -> list[str]:
    """Return the elements of a list in a cell: JSON, or words between blanks, ',', ';' or '|'.

    Numbers and other values of JSON become text.

    Example:
        >>> cell_list("a b"), cell_list('["a b", 2]'), cell_list("")
        (['a', 'b'], ['a b', '2'], [])
    """
    if text.lstrip().startswith("["):
        try:
            values = msgspec.json.decode(text)
        except JSON_ERRORS:
            values = None
        if isinstance(values, list):
            return [
                v if isinstance(v, str) else msgspec.json.encode(v).decode() for v in values
            ]
        text = text.strip()[1:].removesuffix("]").replace("'", " ")
    return [word for word in _SEPARATORS.split(text) if word]


def split_cells(
    rows: pl.DataFrame, column: str, where: str
) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """Return one row per element of the lists in ``column``, and finding rows of empty lists.

    Args:
        rows: columns of text, with ``:where``.
        column: column with a list in each cell.
        where: path of the table, for messages.

    Raises:
        DataError: there is no such column.
    """
    lists = with_list(rows, column, where)
    empty = lists.filter(pl.col(column).list.len().fill_null(0) == 0)
    detail = f"its list {column!r} is empty"
    findings = [(place, "bad-row", detail) for place in empty[":where"]]
    filled = lists.filter(pl.col(column).list.len() > 0)
    exploded = filled.explode(column)
    number = pl.int_range(1, pl.len() + 1).over(":where").cast(pl.String)
    several = pl.len().over(":where") > 1
    place = pl.when(several).then(pl.format("{}, entry {}", ":where", number))
    return exploded.with_columns(place.otherwise(":where").alias(":where")), findings


def with_list(rows: pl.DataFrame, column: str, where: str) -> pl.DataFrame:
    """Return ``rows`` with the texts of ``column`` as lists; null stays null.

    Raises:
        DataError: there is no such column.
    """
    if column not in rows.columns:
        raise DataError(f"{where}: no column {column!r}; {hint(column, _visible(rows))}")
    if rows.schema[column] != pl.String:
        return rows
    cells = rows[column].to_list()
    lists = [None if cell is None else cell_list(cell) for cell in cells]
    return rows.with_columns(pl.Series(column, lists, dtype=pl.List(pl.String)))


def _visible(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if not name.startswith(":")]
