"""Open questions about a table: numbers as splits, images and columns that nothing names."""

from collections.abc import Sequence

import polars as pl

from likewise.errors import bounded
from likewise.sources.base import LeftOver
from likewise.sources.delimited_text import FindingRow
from likewise.storage.schema import Column

IMAGES_WITHOUT_ROW = "images that no row names"

_EXAMPLES = 5


def digit_split_findings(rows: pl.DataFrame) -> list[FindingRow]:
    """Return a finding if splits are numbers, whose meaning cannot be known."""
    if "split" not in rows.columns or rows.schema["split"] != pl.String:
        return []
    is_digit = rows["split"].str.contains(r"\A-?[0-9]{1,3}\z").fill_null(value=False)
    if not is_digit.any():
        return []
    numbers = rows["split"].filter(is_digit).unique().sort()
    names = ("train", "val", "test")
    example = ", ".join(f'"{n}": "{name}"' for n, name in zip(numbers, names, strict=False))
    detail = (
        f"the splits are the numbers {bounded(numbers, len(numbers))}; name them, for example "
        f"by --option 'values={{\"split\": {{{example}}}}}'"
    )
    return [(table_of(rows.filter(is_digit)[":where"][0]), "numbered-splits", detail)]


def table_of(where: str) -> str:
    """Return the table of a location such as ``a.csv: line 3``."""
    return where.rpartition(": ")[0] or where


def unnamed_images(images: pl.DataFrame, *, by_folders: bool) -> LeftOver:
    """Return the images that no row names.

    If folders already define the items (``by_folders``), rows are optional: without any row,
    no image is left over.
    """
    names = images.filter(~pl.col("listed"))["image_id"]
    if by_folders and len(names) == len(images):
        names = names.clear()
    return LeftOver(IMAGES_WITHOUT_ROW, len(names), tuple(names.head(_EXAMPLES)))


def own_columns(columns: Sequence[Column]) -> LeftOver:
    """Return the columns of the tables that keep a name of their own."""
    names = tuple(column.name for column in columns)
    return LeftOver("columns without a meaning of their own, which are kept", len(names), names)
