"""The worst classes of a run: their values, confusions, hard positives and hard negatives."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import LikewiseError
from likewise.formats.counted_nouns import counted
from likewise.formats.even_sample import evenly
from likewise.pages.gallery import Tile
from likewise.pages.tiles import item_tiles

WORST = 15
"""Number of classes in the table."""

PICTURED = 5
"""Number of classes whose hard positives and negatives are shown as images."""

HARD = 6
"""Maximum number of hard positives, and of hard negatives, of a class."""

DEPTH = 10
"""Number of first hits of a query, besides itself, that are looked at for confusions."""

QUERIES = 200
"""Maximum number of queries of a class that are looked at, evenly spread."""

_OTHERS = 3


@dataclass(frozen=True)
class ClassRow:
    """One class of the queries.

    Attributes:
        label: the class.
        queries: number of its scored queries.
        value: mean of the main metric over these queries, 0 to 1.
        confused: the classes of wrong hits among the first ``DEPTH`` hits, most frequent
            first, with their shares of these wrong hits, 0 to 1.
        hard_positives: relevant items with the worst ranks: (query, item, rank; None for an
            item that is not ranked).
        hard_negatives: wrong items that most queries have among these hits: (item, queries).
    """

    label: str
    queries: int
    value: float
    confused: list[tuple[str, float]]
    hard_positives: list[tuple[str, str, int | None]]
    hard_negatives: list[tuple[str, int]]


@dataclass(frozen=True)
class ClassPictures:
    """The hard positives and the hard negatives of a class, as images with remarks."""

    row: ClassRow
    positives: list[tuple[Tile, str]]
    negatives: list[tuple[Tile, str]]


def class_values(queries: pl.DataFrame) -> pl.DataFrame:
    """Return label, queries and value (mean) of every class, the worst first."""
    scored = queries.filter(pl.col("label").is_not_null() & pl.col("value").is_not_null())
    classes = scored.group_by("label").agg(queries=pl.len(), value=pl.col("value").mean())
    return classes.sort("value", "label")


def worst_classes(queries: pl.DataFrame, dataset: Dataset) -> list[ClassRow]:
    """Describe the ``WORST`` classes with the lowest mean of the main metric.

    Args:
        queries: the per-query results of a run with ranked lists.
        dataset: the data set, for the classes of hits.
    """
    worst = class_values(queries).head(WORST)
    parts = [_sample(queries.filter(label=label)) for label in worst["label"]]
    names = _names(dataset, parts)
    return [
        _class_row(part, count, value, names)
        for part, (_, count, value) in zip(parts, worst.iter_rows(), strict=True)
    ]


def class_pictures(rows: Sequence[ClassRow], dataset: Dataset) -> list[ClassPictures]:
    """Return the images of the first ``PICTURED`` classes; none if they cannot be read."""
    shown = [row for row in rows if row.value < 1][:PICTURED]
    items = [name for row in shown for name in _shown_items(row)]
    distinct = list(dict.fromkeys(items))
    try:
        tiles = dict(zip(distinct, item_tiles(dataset, distinct), strict=True))
    except (LikewiseError, OSError):  # the page has a note of it below the queries
        return []
    return [
        ClassPictures(
            row,
            [
                (replace(tiles[item], same=True), f"{_rank(rank)} for {query}")
                for query, item, rank in row.hard_positives
            ],
            [
                (
                    replace(tiles[item], same=False),
                    f"{count:,} of {counted(min(row.queries, QUERIES), 'query')}",
                )
                for item, count in row.hard_negatives
            ],
        )
        for row in shown
    ]


def _shown_items(row: ClassRow) -> list[str]:
    positives = [item for _, item, _ in row.hard_positives]
    return [*positives, *(item for item, _ in row.hard_negatives)]


def _rank(rank: int | None) -> str:
    return "not ranked" if rank is None else f"rank {rank:,}"


def _sample(queries: pl.DataFrame) -> pl.DataFrame:
    """Keep at most ``QUERIES`` rows, evenly spread."""
    return queries[evenly(len(queries), QUERIES)]


def _names(dataset: Dataset, parts: Sequence[pl.DataFrame]) -> dict[str, str]:
    """Return the class, in words where there are any, of the queries and their hits."""
    listed = [part.select(pl.col("hits").explode()).to_series() for part in parts]
    shown = pl.concat([*listed, *(part["item_id"] for part in parts)]) if parts else pl.Series()
    ids = shown.drop_nulls().unique().to_list()
    rows = dataset.find(ids)
    items = dataset.rows(rows[rows >= 0].astype(np.int32), ["item_id", "text", "label"])
    classes = items.select("item_id", pl.coalesce("text", "label").fill_null("no label"))
    return dict(classes.iter_rows())


def _class_row(
    queries: pl.DataFrame, count: int, value: float, names: Mapping[str, str]
) -> ClassRow:
    wrong: Counter[str] = Counter()
    positives: dict[str, tuple[str, int | None]] = {}
    for row in queries.iter_rows(named=True):
        hits = _first_hits(row)
        wrong.update(item for item, right in hits if not right)
        for item, rank in _relevant(row):
            known = positives.get(item)
            if known is None or _worse(rank, known[1]):
                positives[item] = (row["item_id"], rank)
    classes: Counter[str] = Counter()
    for item, times in wrong.items():
        classes[names.get(item, "no label")] += times
    total = max(1, sum(classes.values()))
    hard = sorted(positives.items(), key=lambda pair: (-_order(pair[1][1]), pair[0]))
    first = queries["item_id"][0]
    return ClassRow(
        names.get(first) or str(queries["label"][0]),
        count,
        value,
        [(name, times / total) for name, times in _most(classes, _OTHERS)],
        [(query, item, rank) for item, (query, rank) in hard[:HARD]],
        _most(wrong, HARD),
    )


def _first_hits(row: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Return the first hits of a query, without itself, and whether each is relevant."""
    pairs = zip(row["hits"], row["hit_relevant"], strict=True)
    return [(item, right) for item, right in pairs if item != row["item_id"]][:DEPTH]


def _relevant(row: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """Return the relevant items of a query, other than itself, with their ranks."""
    hits = enumerate(zip(row["hits"], row["hit_relevant"], strict=True), start=1)
    ranked: list[tuple[str, int | None]] = [
        (item, rank) for rank, (item, right) in hits if right
    ]
    ranked += zip(row["missed"], row["missed_ranks"], strict=True)
    return [(item, rank) for item, rank in ranked if item != row["item_id"]]


def _worse(rank: int | None, other: int | None) -> bool:
    return _order(rank) > _order(other)


def _order(rank: int | None) -> float:
    return float("inf") if rank is None else float(rank)


def _most(numbers: Mapping[str, int], number: int) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))[:number]
