"""Publish a part of a data set: without what a check has flagged."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise import commits, tables, versions
from likewise.digests import Digester, digest_splits, with_further
from likewise.errors import DataError, UnknownNameError
from likewise.indexes.lance import Ann
from likewise.schema import PUBLISHED
from likewise.steps.flagged import flagged, unflagged
from likewise.steps.open import open_workspace
from likewise.steps.publish import build_indices, last_version
from likewise.workspace import Workspace

if TYPE_CHECKING:
    import lance

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Viewed:
    """What a view holds: items that it has, and those of its data set that it leaves out."""

    view: str
    items: int
    left_out: int


def view(name: str, *, workspace: Path | None = None) -> Viewed:
    """Write the view ``name`` of params.yaml: a published table without some flags' items.

    It is opened, searched and scored by its name, as a data set is; pixels are those of its
    data set.

    Raises:
        UnknownNameError: params.yaml has no such view.
        MissingArtefactError: its data set was not published, or not checked.
        DataError: nothing would be left.
    """
    ws = open_workspace(workspace)
    if name not in ws.params.views:
        raise UnknownNameError("view", name, ws.params.views, "params.yaml")
    entry = ws.params.views[name]
    command = f"dvc repro publish@{entry.of}"
    whole = tables.open_table(versions.present(ws, ws.published(entry.of)), command)
    items = tables.read(whole, ["item_id", "image_id", "label", "split"])
    mask = _mask(ws, entry.of, items, entry.without)
    if not mask.any():
        raise DataError(f"view {name!r}: every item of {entry.of!r} has one of these flags")
    with commits.alone(ws, f"view-{name}"):
        staging = commits.Staging(ws, f"view-{name}")
        table = staging.path(ws.published(name))
        digester = Digester(PUBLISHED.key)
        models = tables.vector_columns(whole)
        plain = [name for name in whole.schema.names if name not in models]
        schema = pa.schema([whole.schema.field(name) for name in plain])
        tables.write(table, schema, digester.seeing(_rows(whole, mask, plain)))
        for model in models:
            parts = digester.seeing(_rows(whole, mask, [model]))
            tables.add_column(table, whole.schema.field(model), parts)
        anns = {model: Ann() for model in models}
        build_indices(table, anns, last_version(ws, name))
        further = [column.name for column in tables.further_columns(whole)]
        splits = items.filter(mask).select("item_id", "label", "split")
        digests = with_further(digester.digests(), further)
        told = {model: ann.model_dump() for model, ann in anns.items()}
        digests = replace(digests, splits=digest_splits(splits), ann=told)
        commits.write_text(staging.path(ws.published_digests(name)), digests.to_yaml())
        staging.commit()
    return Viewed(name, int(mask.sum()), int((~mask).sum()))


def _mask(ws: Workspace, dataset: str, items: pl.DataFrame, without: Collection[str]) -> Mask:
    """(n,) which of ``items`` have none of the flags ``without``."""
    kept = unflagged(items.lazy(), flagged(ws, dataset, without)).select("item_id").collect()
    mask: Mask = items["item_id"].is_in(kept["item_id"].implode()).to_numpy()
    return mask


def _rows(
    whole: "lance.LanceDataset", mask: Mask, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """These columns of the rows of the whole table that ``mask`` keeps."""
    start = 0
    for batch in tables.scan(whole, columns):
        kept = batch.filter(pa.array(mask[start : start + len(batch)]))
        start += len(batch)
        if len(kept):
            yield kept
