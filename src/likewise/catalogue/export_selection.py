"""Select the items of a data set for an export."""

import numpy as np
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.exports.base import Selection
from likewise.retrieval import filters


def selection(dataset: Dataset, where: str | None = None, *, pixels: bool = True) -> Selection:
    """Select the items of ``dataset`` that meet the SQL condition ``where``.

    Without ``pixels``, images are not fetched and cannot be read.

    Raises:
        DataError: the SQL is invalid, or no item meets it.
    """
    table = dataset.table
    mask = (
        np.ones(len(dataset.items), bool)
        if where is None
        else filters.matching_rows(table, where)
    )
    items = dataset.items.filter(pl.Series(mask))
    if items.is_empty():
        raise DataError(f"{dataset.name} has no item for which {where!r} holds")
    for model in dataset.absent if pixels else ():
        dataset.need_model(model)
    reader = dataset.reader(items["item_id"].to_list() if pixels else [])
    further = tuple(column.name for column in table.source_columns)
    return Selection(dataset.name, dataset.card, items, reader, table, mask, further)
