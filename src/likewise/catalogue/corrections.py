"""Corrections of a data set's items: ``catalog/<dataset>/corrections.csv``, merged by git.

A row replaces the value of a column of an item. Publishing and training apply the corrections
to the items that were ingested, so a correction needs neither the source nor pixels, and
survives every new ingest.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from likewise.catalogue.keyed_text import KeyedText
from likewise.errors import DataError, bounded, hint
from likewise.storage.workspace import Workspace

HEAD = ("item_id", "column", "value", "was")

FIXED = ("item_id", "image_id", "box", "content")
"""Columns that identify the pixels of an item; they are corrected in the source."""


_NEW, _MATCHED = ":new", ":matched"
"""Columns of one correction; the colon keeps them apart from columns of any source."""


class Key(NamedTuple):
    """The item and column of a correction."""

    item_id: str
    column: str


class Value(NamedTuple):
    """The corrected value, and that of the source at the time; None for an empty value."""

    value: str | None
    was: str | None


Corrections = dict[Key, Value]

Conflict = tuple[Value | None, Value | None]
"""Our correction and theirs of the same value; None for no correction."""


def _describe(key: Key) -> str:
    return f"{key.column} of {key.item_id!r}"


def _same(one: Value, other: Value) -> bool:
    return one.value == other.value


FILE = KeyedText(HEAD, Key, Value, 2, _describe, same=_same)
"""The format of the file."""


def read(path: Path) -> Corrections:
    """Read the corrections in ``path``; none if there is no file.

    Raises:
        DataError: the file has not the format of ``text``; the line is named.
    """
    return FILE.read(path)


def parse(text: str, where: str) -> Corrections:
    """Parse the corrections in ``text``; errors name the file ``where``.

    Raises:
        DataError: wrong format, or two corrections of a value; the line is named.
    """
    return FILE.parse(text, where)


def text(corrections: Mapping[Key, Value]) -> str:
    """Return the text of the file, sorted by item and column; equal content has equal text."""
    return FILE.text(corrections)


def write(path: Path, corrections: Mapping[Key, Value]) -> None:
    """Write the file atomically."""
    FILE.write(path, corrections)


def correct_items(ws: Workspace, dataset: str, items: pl.DataFrame) -> pl.DataFrame:
    """Apply the corrections of a data set to ``items`` (item_id and any other columns).

    Corrections of other columns and of other items are ignored.

    Raises:
        DataError: a value does not fit its column, or the column cannot be corrected.
    """
    path = ws.corrections(dataset)
    return apply_corrections(items, read(path), ws.relative(path))


def apply_corrections(
    items: pl.DataFrame, corrections: Corrections, where: str
) -> pl.DataFrame:
    """Apply ``corrections`` to ``items``; errors name the file ``where``."""
    for column, rows in _by_column(corrections).items():
        if column in FIXED:
            raise DataError(f"{where}: {column} cannot be corrected here; correct the source")
        if column in items.columns:
            items = _apply_column(items, column, rows, where)
    return items


def check_column(column: str, known: Iterable[str]) -> None:
    """Refuse a column that cannot be corrected.

    Raises:
        DataError: no such column, or it identifies the pixels of an item.
    """
    names = [name for name in known if name not in FIXED]
    if column not in names:
        raise DataError(f"no column {column!r} to correct; {hint(column, names)}")


def merge(
    base: Corrections, ours: Corrections, theirs: Corrections
) -> tuple[Corrections, dict[Key, Conflict]]:
    """Merge the changes of both sides since ``base``.

    Returns:
        The merged corrections, and the conflicts: values that both sides changed differently.
        The merged corrections contain our side of a conflict.
    """
    return FILE.merge(base, ours, theirs)


def _by_column(corrections: Corrections) -> dict[str, dict[str, str | None]]:
    columns: dict[str, dict[str, str | None]] = {}
    for key, value in corrections.items():
        columns.setdefault(key.column, {})[key.item_id] = value.value
    return columns


def _apply_column(
    items: pl.DataFrame, column: str, rows: Mapping[str, str | None], where: str
) -> pl.DataFrame:
    kind = items.schema[column]
    values = pl.DataFrame(
        {"item_id": list(rows), _NEW: list(rows.values())},
        schema={"item_id": pl.String, _NEW: pl.String},
    )
    try:
        values = values.with_columns(
            pl.col(_NEW).cast(kind), pl.lit(value=True).alias(_MATCHED)
        )
    except PolarsError as error:
        wrong = bounded(map(repr, rows.values()), len(rows), 3)
        raise DataError(f"{where}: {column} takes {kind}, not {wrong}") from error
    joined = items.join(values, on="item_id", how="left", maintain_order="left")
    value = pl.when(pl.col(_MATCHED)).then(_NEW).otherwise(column).alias(column)
    return joined.with_columns(value).select(items.columns)
