"""Leave out of a data set what a check has flagged."""

from collections.abc import Collection

import polars as pl

from likewise.errors import UnknownNameError
from likewise.schema import FLAG_NAMES
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


def flagged(ws: Workspace, dataset: str, flags: Collection[str]) -> pl.LazyFrame:
    """image_id and item_id (null: all of the image) of what has one of ``flags``.

    A leak can be named with the other data set: ``leak:gpr1200``.

    Raises:
        UnknownNameError: no such flag.
        MissingArtefactError: the data set was not checked.
    """
    for flag in flags:
        if flag.partition(":")[0] not in FLAG_NAMES:
            raise UnknownNameError("flag", flag, FLAG_NAMES)
    path = versions.locate(ws, ws.table(dataset, "flags"))
    command = artefacts.table(ws, dataset, "flags").command
    found = tables.open_table(path, command).frame()
    named = pl.concat_str("flag", "other_dataset", separator=":", ignore_nulls=True)
    wanted = list(flags)
    return found.filter(pl.col("flag").is_in(wanted) | named.is_in(wanted)).select(
        "image_id", "item_id"
    )


def unflagged(items: pl.LazyFrame, doubtful: pl.LazyFrame) -> pl.LazyFrame:
    """The ``items`` of which neither they nor their image are ``doubtful``, in their order."""
    images = doubtful.filter(pl.col("item_id").is_null()).select("image_id")
    single = doubtful.select("item_id").drop_nulls()
    return items.join(images, on="image_id", how="anti", maintain_order="left").join(
        single, on="item_id", how="anti", maintain_order="left"
    )
