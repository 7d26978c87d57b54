"""Inputs of a run: columns of its data set, and their digests."""

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import DamagedError, DataError, bounded
from likewise.evaluation.protocols.base import Protocol
from likewise.storage.config import Run, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

BY_COLUMNS = ("label", "subset", "split", "role")
"""The columns of all data sets by which a run may be reported; others are those of a source."""


def protocol_rows(dataset: Dataset, protocol: Protocol) -> pl.DataFrame:
    """Return the columns of the items that a protocol reads."""
    known = [name for name in _columns(dataset, protocol) if name in dataset.table.columns]
    rows = dataset.table.read(["item_id", *known])
    protocol.check_items(rows)
    return rows


def run_digests(
    ws: Workspace, dataset: Dataset, protocol: Protocol, entry: Run
) -> dict[str, str]:
    """Return the digests of the columns that a run reads: dependencies of its DVC stage.

    The stage lists label, subset, split, role and the model, and other columns as a whole. The
    entry ``ann`` of a model with a text tower has the digests of the tower and of the texts.

    Raises:
        DamagedError: the file of digests lacks some.
    """
    columns = _read_columns(dataset, protocol, entry)
    path = ws.published_digests(entry.dataset)
    published = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns
    if absent := sorted(set(columns) - published.keys()):
        names = bounded(absent, len(absent))
        raise DamagedError(f"{ws.relative(path)} lacks {names}; run: likewise doctor")
    return {name: published[name] for name in columns}


def reported_column(dataset: Dataset, column: str, run: str) -> pl.DataFrame:
    """Return item_id and the column by which a run is reported.

    Raises:
        DataError: there is no such column, or the stage of a run does not depend on it.
    """
    known = [*BY_COLUMNS, *(source.name for source in dataset.table.source_columns)]
    if column not in known:
        raise DataError(
            f"params.yaml: runs.{run}: by: {column!r} is not a column by which results are "
            f"reported; these are: {', '.join(known)}"
        )
    return dataset.table.read(["item_id", column])


def _columns(dataset: Dataset, protocol: Protocol) -> tuple[str, ...]:
    """Return the columns that a protocol reads of this data set."""
    present = dataset.table.columns
    return (
        *protocol.columns,
        *(name for name in protocol.optional_columns if name in present),
    )


def _read_columns(dataset: Dataset, protocol: Protocol, entry: Run) -> tuple[str, ...]:
    """Return all columns that a run reads, with its vectors."""
    by = () if entry.by is None else (entry.by,)
    return tuple(dict.fromkeys((*_columns(dataset, protocol), *by, entry.model)))
