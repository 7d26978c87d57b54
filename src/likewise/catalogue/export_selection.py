"""Select the items of a data set for an export."""

import numpy as np
import polars as pl

from likewise.catalogue.curated_table import COLUMNS
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError, bounded
from likewise.exports.base import Selection
from likewise.formats.paths import path_fault
from likewise.retrieval import filters
from likewise.retrieval.selection_filter import with_selection

_SUSPECT = (
    r"\x00|[^\x00-\x7f]|\\|^/|//|/$|^$|(^|/)[.]|^[A-Za-z]:|(?i)(^|/)git~1"  # see path_fault
)
"""Matches every id that ``path_fault`` may refuse; few others, which it looks at too."""


def selection(
    dataset: Dataset,
    where: str | None = None,
    *,
    selection_name: str | None = None,
    pixels: bool = True,
) -> Selection:
    """Select the items of ``dataset`` that meet the SQL condition ``where``.

    With ``selection_name``, they are items of the selection of that name. Without ``pixels``,
    images are not fetched and cannot be read. Tags and selections are not exported.

    Raises:
        DataError: the SQL is invalid, no item meets it, or an image_id leaves its folder.
    """
    table = dataset.table
    where = with_selection(where, selection_name, table)
    mask = np.ones(len(dataset), bool) if where is None else filters.matching_rows(table, where)
    hidden = set(COLUMNS).difference(column.name for column in table.source_columns)
    items = table.read([c for c in table.metadata_columns if c not in hidden]).filter(
        pl.Series(mask)
    )
    if items.is_empty():
        raise DataError(f"{dataset.name} has no item for which {where!r} holds")
    _check_image_ids(dataset.name, items["image_id"])
    reader = dataset.reader(items["item_id"].to_list() if pixels else [])
    further = tuple(column.name for column in table.source_columns)
    return Selection(
        dataset.name, dataset.card, items, reader, table, mask, further, dataset.need_model
    )


def _check_image_ids(dataset: str, image_ids: pl.Series) -> None:
    """Refuse ids that are not paths in a folder; no source has such ids.

    Raises:
        DataError: there are some; the table is damaged or hostile.
    """
    suspects = image_ids.filter(image_ids.str.contains(_SUSPECT)).unique(maintain_order=True)
    bad = {name: fault for name in suspects if (fault := path_fault(name))}
    if bad:
        examples = bounded((f"{name!r} ({fault})" for name, fault in bad.items()), len(bad))
        raise DataError(
            f"{dataset}: these values of image_id are not safe paths of files: {examples}; "
            "the table is damaged or hostile; ingest and publish the data set again from its "
            "source"
        )
