"""The labels of a data set that its own vectors contradict, with neighbours as evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from tqdm import tqdm

from likewise.errors import DataError, StaleArtefactError
from likewise.evaluation.label_errors import (
    NEIGHBOURS,
    LabelDoubts,
    LabelledRows,
    label_doubts,
)
from likewise.formats.array_types import Float32Array, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.neighbour_search import (
    NeighbourSearch,
    SearchNeighbours,
    search_neighbours,
)
from likewise.storage import tables

EVIDENCE = 5
"""Number of neighbours that are listed for a suspect."""

_MOST_COPIES = 64
"""Largest number of further neighbours that are searched because of equal contents."""

_NEIGHBOUR = pl.Struct({"item_id": pl.String, "label": pl.String, "cosine": pl.Float64})


@dataclass(frozen=True)
class JudgedLabels:
    """The judgement of all labels of a data set.

    Attributes:
        suspects: one row per item with a doubtful label, the most doubtful first: item_id,
            image_id, label, suggested, quality, outvoted, confident, and neighbours (item_id,
            label, cosine).
        judged: number of items with a judged label.
        unlabelled: number of items without a label, which neither vote nor are judged.
        alone: number of items whose label no other content has.
    """

    suspects: pl.DataFrame
    judged: int
    unlabelled: int
    alone: int


def judge_labels(
    items: pl.DataFrame,
    table: tables.Table,
    entry: Mapping[str, Any],
    memory: int,
    command: str,
    search: SearchNeighbours = search_neighbours,
) -> JudgedLabels:
    """Judge the labels of items by the labels of the nearest items of other content.

    Items with one vector are one voter, whose vote is divided over their labels. Items of one
    content do not vote for each other.

    Args:
        items: item_id, image_id, content and label, in canonical order.
        table: the vectors of one model.
        entry: kind and options of the index that searches the neighbours.
        memory: bytes for vectors; see ``formats.memory``.
        command: the command that computes missing vectors.
        search: searches the neighbours of all vectors.

    Raises:
        StaleArtefactError: items have no vector.
        DataError: no two contents have the same label.
    """
    placed = _placed(items, table, command)
    labelled, rows, groups = _grouped(placed, table.rows)
    voters = _voters(table, entry, memory, groups, rows)
    neighbours, scores = _neighbours(voters, groups, search)
    doubts = label_doubts(rows, neighbours, scores)
    suspects = _suspects(labelled, rows, doubts)
    alone = int((rows.sizes == 1)[labelled["code"]].sum())
    return JudgedLabels(
        _with_evidence(suspects, placed, neighbours, scores),
        len(labelled) - alone,
        len(items) - len(labelled),
        alone,
    )


def voters_search(
    items: pl.DataFrame,
    table: tables.Table,
    entry: Mapping[str, Any],
    memory: int,
    command: str,
) -> NeighbourSearch:
    """Return the search of ``judge_labels``; for arguments and errors see there."""
    _, rows, groups = _grouped(_placed(items, table, command), table.rows)
    return _voters(table, entry, memory, groups, rows)


def _grouped(
    placed: pl.DataFrame, vectors: int
) -> tuple[pl.DataFrame, LabelledRows, Int64Array]:
    """Return the items with a label, the labels of vectors, and the content of each vector.

    Raises:
        DataError: no two contents have the same label.
    """
    labelled = placed.filter(pl.col("code") >= 0)
    rows = _labelled_rows(labelled, vectors)
    if not (rows.sizes > 1).any():
        raise DataError("no label can be judged: no two distinct pictures have the same one")
    groups = np.full(vectors, NONE)
    groups[placed["row"]] = placed["group"]
    return labelled, rows, groups


def _placed(items: pl.DataFrame, table: tables.Table, command: str) -> pl.DataFrame:
    """Return the items with place, row (of the vector), group (content) and code (label)."""
    keys = table.read(["content"]).with_row_index("row").rename({"content": "key"})
    placed = items.with_columns(key=tables.vector_keys(table, items)).join(
        keys, on="key", how="left", maintain_order="left"
    )
    absent = placed["row"].null_count()
    if absent:
        raise StaleArtefactError(
            f"{counted(absent, 'item', 'has', 'have')} no vector yet", command
        )
    codes = pl.col("label").rank("dense").cast(pl.Int64).sub(1).fill_null(NONE)
    return placed.with_row_index("place").with_columns(
        pl.col("row").cast(pl.Int64),
        group=pl.col("content").rank("dense").cast(pl.Int64),
        code=codes,
    )


def _labelled_rows(labelled: pl.DataFrame, rows: int) -> LabelledRows:
    pairs = labelled.select("row", "code").unique().sort("row", "code")
    counts = np.bincount(pairs["row"].to_numpy(), minlength=rows)
    contents = labelled.select("group", "code").unique()
    sizes = np.bincount(contents["code"].to_numpy())
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return LabelledRows(offsets, pairs["code"].to_numpy(), sizes)


def _voters(
    table: tables.Table,
    entry: Mapping[str, Any],
    memory: int,
    groups: Int64Array,
    rows: LabelledRows,
) -> NeighbourSearch:
    """Return the search of vectors of other contents that have a label."""
    voters = np.diff(rows.offsets) > 0
    copies = int(np.bincount(groups - groups.min()).max())
    return NeighbourSearch(
        table,
        entry,
        NEIGHBOURS + min(copies, _MOST_COPIES),
        None if voters.all() else voters,
        memory=memory,
        origin="the index of suspects",
    )


def _neighbours(
    voters: NeighbourSearch, groups: Int64Array, search: SearchNeighbours
) -> tuple[Int64Array, Float32Array]:
    """Return the nearest vectors (n, k) of other contents that have a label, and cosines."""
    count = voters.table.rows
    neighbours = np.full((count, NEIGHBOURS), NONE)
    scores = np.zeros((count, NEIGHBOURS), np.float32)
    start = 0
    with tqdm(total=count, unit="vec", desc="neighbours", disable=None) as bar:
        for cosines, rows in search(voters):
            own = slice(start, start + len(rows))
            other = (rows != NONE) & (groups[rows] != groups[own, None])
            order = np.argsort(~other, axis=1, kind="stable")[:, :NEIGHBOURS]
            kept = np.take_along_axis(other, order, 1)
            width = order.shape[1]
            neighbours[own, :width] = np.where(kept, np.take_along_axis(rows, order, 1), NONE)
            scores[own, :width] = np.where(kept, np.take_along_axis(cosines, order, 1), 0)
            start = own.stop
            bar.update(len(rows))
    return neighbours, scores


def _suspects(labelled: pl.DataFrame, rows: LabelledRows, doubts: LabelDoubts) -> pl.DataFrame:
    """Return the items with doubtful labels, those of the lowest quality first."""
    keys = rows.rows * rows.classes + rows.codes
    wanted = labelled["row"].to_numpy() * rows.classes + labelled["code"].to_numpy()
    at = np.searchsorted(keys, wanted)
    names = labelled.select("code", "label").unique().sort("code")["label"]
    suggested = doubts.suggested[at]
    frame = labelled.with_columns(
        suggested=names.gather(np.maximum(suggested, 0)),
        quality=pl.Series(doubts.quality[at]),
        outvoted=pl.Series(doubts.outvoted[at]),
        confident=pl.Series(doubts.confident[at]),
    )
    doubtful = doubts.outvoted[at] | doubts.confident[at]
    return frame.filter(pl.Series(doubtful)).sort("quality", "place")


def _with_evidence(
    suspects: pl.DataFrame,
    placed: pl.DataFrame,
    neighbours: Int64Array,
    scores: Float32Array,
) -> pl.DataFrame:
    """Add the nearest neighbours of every suspect: the first item of each, and its labels."""
    own = suspects["row"].to_numpy()
    near = pl.DataFrame(
        {
            "number": np.repeat(np.arange(len(own)), EVIDENCE),
            "row": neighbours[own, :EVIDENCE].ravel(),
            "cosine": scores[own, :EVIDENCE].ravel().astype(np.float64),
        }
    ).filter(pl.col("row") != NONE)
    voters = (
        placed.filter(pl.col("row").is_in(near["row"].unique().implode()))
        .group_by("row", maintain_order=True)
        .agg(
            pl.col("item_id").first(),
            pl.col("label").drop_nulls().unique(maintain_order=True).str.join(", "),
        )
    )
    lists = (
        near.join(voters, on="row", maintain_order="left")
        .group_by("number", maintain_order=True)
        .agg(neighbours=pl.struct("item_id", "label", "cosine"))
    )
    numbered = suspects.with_columns(number=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = numbered.join(lists, on="number", how="left", maintain_order="left")
    return joined.select(
        "item_id",
        "image_id",
        "label",
        "suggested",
        "quality",
        "outvoted",
        "confident",
        pl.col("neighbours").cast(pl.List(_NEIGHBOUR)),
    )
