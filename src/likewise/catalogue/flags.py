"""Leave out flagged items and images of a data set."""

from collections.abc import Collection

import polars as pl

from likewise.errors import UnknownNameError
from likewise.storage import artefacts, tables, versions
from likewise.storage.config.names import FLAG_NAMES
from likewise.storage.workspace import Workspace


def flag_rows(ws: Workspace, dataset: str, flags: Collection[str]) -> pl.LazyFrame:
    """Return the rows of the last check of ``dataset`` with one of ``flags``.

    A leak can be limited to one data set: ``leak:gpr1200``.

    Raises:
        UnknownNameError: no such flag.
        MissingArtefactError: the data set was not checked.
    """
    for flag in flags:
        if flag.partition(":")[0] not in FLAG_NAMES:
            raise UnknownNameError("flag", flag, FLAG_NAMES)
    path = versions.locate(ws, ws.table(dataset, "flags"))
    command = artefacts.table(ws, dataset, "flags").command
    rows = tables.open_table(path, command).frame()
    full_name = pl.concat_str("flag", "other_dataset", separator=":", ignore_nulls=True)
    names = list(flags)
    return rows.filter(pl.col("flag").is_in(names) | full_name.is_in(names))


def read_flagged(ws: Workspace, dataset: str, flags: Collection[str]) -> pl.LazyFrame:
    """Return image_id and item_id (null for a whole image) of the rows with one of ``flags``.

    Raises:
        UnknownNameError: no such flag.
        MissingArtefactError: the data set was not checked.
    """
    return flag_rows(ws, dataset, flags).select("image_id", "item_id")


def drop_flagged(items: pl.LazyFrame, flagged: pl.LazyFrame) -> pl.LazyFrame:
    """Return ``items`` without flagged items and items of flagged images, in their order."""
    images = flagged.filter(pl.col("item_id").is_null()).select("image_id")
    single = flagged.select("item_id").drop_nulls()
    return items.join(images, on="image_id", how="anti", maintain_order="left").join(
        single, on="item_id", how="anti", maintain_order="left"
    )
