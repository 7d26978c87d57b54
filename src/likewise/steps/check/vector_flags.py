"""Flags by a model's vectors: outliers, and items that are too similar."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.retrieval.neighbour_search import (
    FoundNeighbours,
    NeighbourSearch,
    SearchNeighbours,
    search_neighbours,
)
from likewise.steps.check.flag_rows import flags
from likewise.storage import tables
from likewise.storage.config import Check

_TINY = 1e-6
_NEIGHBOURS = 16
"""Number of neighbours, including the item itself, searched for an earlier similar item.

An item with more neighbours of equal similarity may not be flagged; most of them are.
"""

Scores = npt.NDArray[np.float64]


def check_vectors(
    items: pl.DataFrame,
    table: tables.Table,
    bounds: Check,
    index: Mapping[str, Any],
    search: SearchNeighbours = search_neighbours,
) -> Iterator[pl.DataFrame]:
    """Yield the flags by one model's vectors.

    Args:
        items: item_id, image_id and content of every item, in canonical order.
        table: the model's vectors, one per content.
        bounds: thresholds for outliers and for similar items.
        index: entry of the index that searches for similar items.
        search: searches the neighbours of all vectors.
    """
    contents = table.read(["content"])
    if bounds.max_outlier is not None:
        scored = contents.with_columns(value=pl.Series(outlier_scores(table)))
        rows = items.join(scored, on="content", maintain_order="left")
        detail = pl.format(
            f"mean |z| {{}} of its vector by {bounds.model}, above {bounds.max_outlier:g}",
            pl.col("value").round(4),
        )
        yield _of_items(rows.filter(pl.col("value") > bounds.max_outlier), "outlier", detail)
    if bounds.similar is not None:
        neighbours = search(similar_search(table, index))
        yield _similar(items, contents["content"], neighbours, bounds)


def similar_search(table: tables.Table, index: Mapping[str, Any]) -> NeighbourSearch:
    """Return the search of similar items."""
    return NeighbourSearch(table, index, _NEIGHBOURS, wide=True, origin="params.yaml: checks")


def outlier_scores(table: tables.Table) -> Scores:
    """Return (n,): the mean over dimensions of |x - mean| / (std + 1e-6), std with ddof 0.

    Two passes in batches, so that not all vectors are in memory at once.

    Source: FISSP, ``prepare_dataset.py``, which uses features that are not normalised.
    """
    count, total, squares = 0, np.float64(0), np.float64(0)
    for part in _parts(table):
        count += len(part)
        total = total + part.sum(axis=0)
        squares = squares + np.square(part).sum(axis=0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0)) + _TINY
    return np.concatenate(
        [(np.abs(part - mean) / deviation).mean(axis=1) for part in _parts(table)]
    )


def _similar(
    items: pl.DataFrame,
    contents: pl.Series,
    neighbours: Iterator[FoundNeighbours],
    bounds: Check,
) -> pl.DataFrame:
    """Flag items with a similar earlier item, and name the most similar one."""
    first = items.with_row_index("place").unique("content", keep="first", maintain_order=True)
    place = contents.to_frame().join(first, on="content", how="left", maintain_order="left")
    places = place["place"].fill_null(len(items)).to_numpy().astype(np.int64)
    pairs = _pairs(neighbours, places, bounds.similar or 0)
    rows = first.join(pairs, on="place", maintain_order="left").with_columns(
        other=pl.lit(items["item_id"]).gather(pl.col("earlier"))
    )
    detail = pl.format(
        f"cosine {{}} with {{}} by {bounds.model}", pl.col("value").round(4), "other"
    )
    return _of_items(rows, "similar", detail, other=pl.col("other"))


def _pairs(
    neighbours: Iterator[FoundNeighbours], places: npt.NDArray[np.int64], least: float
) -> pl.DataFrame:
    """Return place, earlier, value: the most similar earlier content of every content."""
    parts = []
    start = 0
    for scores, rows in neighbours:
        mine = places[start : start + len(rows), None]
        other = np.where(rows >= 0, places[rows], len(places))
        fits = (rows >= 0) & (other < mine) & (scores >= least)
        best = fits.argmax(axis=1)[:, None]
        hit = fits.any(axis=1)
        earlier, value = (np.take_along_axis(a, best, 1)[hit, 0] for a in (other, scores))
        parts.append({"place": mine[hit, 0], "earlier": earlier, "value": value})
        start += len(rows)
    kinds = {"place": pl.UInt32, "earlier": pl.UInt32, "value": pl.Float64}
    return pl.concat(
        [pl.DataFrame(schema=kinds), *(pl.DataFrame(f, schema=kinds) for f in parts)]
    )


def _parts(table: tables.Table) -> Iterator[Scores]:
    for part in table.vector_batches("vector"):
        yield part.astype(np.float64)


def _of_items(
    rows: pl.DataFrame, flag: str, detail: pl.Expr, **columns: pl.Expr
) -> pl.DataFrame:
    return flags(
        rows, flag, detail, item_id=pl.col("item_id"), value=pl.col("value"), **columns
    )
