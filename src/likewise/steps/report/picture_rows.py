"""The worst and the best queries of a run, each with its first hits as a row of images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import LikewiseError
from likewise.pages.gallery import Tile
from likewise.pages.tiles import item_tiles

WORST, BEST, HITS = 10, 4, 8
"""Number of worst queries, best queries, and hits per query that are shown as images."""


@dataclass(frozen=True)
class PictureRow:
    """A query and its first hits, shown as a row of images.

    Attributes:
        query: image of the query.
        value: its value of the main metric.
        hits: images of its first hits.
        missed: remark on the first relevant item that was missed.
    """

    query: Tile
    value: float
    hits: list[Tile]
    missed: str


@dataclass(frozen=True)
class Pictures:
    """The rows of images of a report.

    Attributes:
        worst: the queries with the lowest values.
        best: the queries with the highest values.
        note: reason for missing images; "" for none.
    """

    worst: list[PictureRow]
    best: list[PictureRow]
    note: str = ""

    @classmethod
    def of(cls, dataset: Dataset, queries: pl.DataFrame) -> "Pictures":
        """Select the worst and the best queries; equal values are in the order of the items."""
        scored = queries.filter(pl.col("value").is_not_null()).with_row_index("place")
        worst = scored.sort("value", "place").head(WORST)
        best = scored.sort("value", "place", descending=[True, False]).head(BEST)
        best = best.join(worst, on="item_id", how="anti")
        try:
            return cls(_rows(dataset, worst), _rows(dataset, best))
        except (LikewiseError, OSError) as error:
            return cls([], [], f"no pictures: {error}")


def _rows(dataset: Dataset, queries: pl.DataFrame) -> list[PictureRow]:
    shown = [
        [item, *hits[:HITS]] for item, hits in queries.select("item_id", "hits").iter_rows()
    ]
    names = list(dict.fromkeys(name for row in shown for name in row))
    tiles = dict(zip(names, item_tiles(dataset, names), strict=True))
    picture_rows = []
    columns = ("value", "hit_scores", "hit_relevant", "missed_ranks")
    for (item, *hits), (value, scores, relevant, missed) in zip(
        shown, queries.select(columns).iter_rows(), strict=True
    ):
        known = scores or [None] * len(hits)
        row = [
            replace(tiles[hit], score=score, same=same)
            for hit, score, same in zip(hits, known, relevant, strict=False)
        ]
        picture_rows.append(PictureRow(tiles[item], value, row, _missed(missed)))
    return picture_rows


def _missed(ranks: Sequence[int | None]) -> str:
    if not ranks:
        return ""
    rank = "not ranked" if ranks[0] is None else f"rank {ranks[0]:,}"
    return f"next relevant item: {rank}"
