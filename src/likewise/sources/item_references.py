"""Columns that list images by name, such as those that are relevant to a query."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.sources.base import findings_from_rows
from likewise.sources.extra_columns import field_name
from likewise.sources.table_rows import match_images

_EXAMPLES = 3


def refer_to_items(
    items: pl.DataFrame, columns: Sequence[str], renamed: Mapping[str, str], top: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace the names of images that ``columns`` list by the ids of items.

    A name means an image as in annotations: its path, the end of it, or its name without a
    suffix. Its item is the first one that is not a query. Names without an image are dropped.

    Args:
        items: ``item_id``, ``image_id``, ``role`` and the columns.
        columns: columns of lists of texts, as the tables name them.
        renamed: column of a table -> its name in the catalogue, if it is another one.
        top: folder or archive of the images.

    Returns:
        The items, and a finding per column with names that no image has.

    Raises:
        DataError: there is no such column.
    """
    notes = []
    firsts = (
        items.select("item_id", "image_id", is_query=pl.col("role") == "query")
        .sort("is_query", nulls_last=False, maintain_order=True)
        .unique("image_id", keep="first", maintain_order=True)
    )
    for given in columns:
        column = field_name(renamed.get(given, given))
        if column not in items.columns:
            raise DataError(f"references: no column {column!r}; {hint(column, items.columns)}")
        listed = items.select(pl.int_range(pl.len()).alias("row"), reference=column)
        listed = listed.drop_nulls().explode("reference").drop_nulls()
        matches = match_images(listed["reference"], firsts["image_id"], top)
        ids = matches.matched.join(firsts, left_on="path", right_on="image_id")
        known = listed.join(ids, on="reference", how="left", maintain_order="left")
        lists = known.group_by("row", maintain_order=True).agg(pl.col("item_id").drop_nulls())
        missing = matches.unmatched["reference"]
        if len(missing):
            detail = (
                f"{len(missing):,} of "
                f"{counted(listed['reference'].n_unique(), 'listed name', 'has', 'have')} no "
                f"image: {bounded(missing.head(_EXAMPLES), len(missing), _EXAMPLES)}"
            )
            notes.append((column, "dangling", detail))
        replaced = items.select(row=pl.int_range(pl.len())).join(
            lists, on="row", how="left", maintain_order="left"
        )
        items = items.with_columns(replaced["item_id"].alias(column))
    return items, findings_from_rows(notes)
