"""The queries of a table, and the rows of a figure of their hits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from likewise.errors import DataError
from likewise.pages.gallery import Tile, thumbnails
from likewise.pages.query_sheet import QueryRow
from likewise.pages.tiles import Pictured, item_tiles, rows_of
from likewise.retrieval.search_query import image_bytes

MOST = 500
"""Maximum number of queries of a figure."""


@dataclass(frozen=True)
class AskedQueries:
    """The queries of a table.

    Attributes:
        column: the column that defines them: id, image, vector or text.
        names: their names.
        values: ids, files or texts; empty for vectors.
        labels: their labels, if the table has a column ``label``.
        folder: the folder that paths of images start from.
    """

    column: str
    names: Sequence[str]
    values: Sequence[str]
    labels: Sequence[str | None] | None
    folder: Path

    @classmethod
    def of(
        cls, frame: pl.DataFrame, column: str, names: Sequence[str], folder: Path
    ) -> "AskedQueries":
        """Keep the queries of a table."""
        texts = [] if column == "vector" else frame[column].cast(pl.String).to_list()
        labels = None
        if "label" in frame.columns:
            labels = frame["label"].cast(pl.String).to_list()
        return cls(column, list(names), texts, labels, folder)

    def only(self, names: Collection[str]) -> "AskedQueries":
        """Keep the queries with some names."""
        kept = [number for number, name in enumerate(self.names) if name in names]

        def part(values: Sequence[Any]) -> list[Any]:
            return [values[number] for number in kept] if values else []

        labels = None if self.labels is None else part(self.labels)
        return replace(self, names=part(self.names), values=part(self.values), labels=labels)

    def rows(self, dataset: Pictured, hits: pl.DataFrame) -> list[QueryRow]:
        """Return one row per query, with the pictures of its hits.

        Args:
            dataset: the data set that was searched.
            hits: the hits of all queries.

        Raises:
            DataError: there are more than ``MOST`` queries.
        """
        parts = hits.partition_by("query", as_dict=True, maintain_order=True)
        if len(self.names) > MOST:
            raise DataError(
                f"a figure shows at most {MOST:,} queries, and these are {len(self.names):,}; "
                "choose some of them"
            )
        asked = self.values if self.column == "id" else []
        items = list(dict.fromkeys([*asked, *hits["item_id"]]))
        pictures = dict(zip(items, item_tiles(dataset, items), strict=True))
        empty, first_rank = hits.clear(), int(hits["rank"].min() or 1)  # type: ignore[arg-type]
        rows = []
        for query, label, name in zip(
            self._tiles(pictures), self._labels(dataset), self.names, strict=True
        ):
            own = parts.get((name,), empty).select("item_id", "score", "label").iter_rows()
            tiles = [
                replace(pictures[item], score=score, same=_same(label, hit_label))
                for item, score, hit_label in own
            ]
            rows.append(QueryRow(query, [("", tiles)], first_rank=first_rank))
        return rows

    def _tiles(self, items: Mapping[str, Tile]) -> list[Tile]:
        """Return a picture of each query, from ``items`` if it is one; a text has none."""
        if self.column == "id":
            return [items[item] for item in self.values]
        labels = self.labels or [None] * len(self.names)
        pictures: Mapping[str, str | None] = {}
        if self.column == "image":
            files = list(dict.fromkeys(self.values))
            reader = _ImageFiles(self.folder, files)
            pictures = dict(zip(files, thumbnails(reader, [None] * len(files)), strict=True))
        values = self.values or [""] * len(self.names)
        return [
            Tile(name, pictures.get(value), label)
            for name, value, label in zip(self.names, values, labels, strict=True)
        ]

    def _labels(self, dataset: Pictured) -> Sequence[str | None]:
        """Return the label of each query: that of the table, or that of its item."""
        if self.labels is not None:
            return self.labels
        if self.column != "id":
            return [None] * len(self.names)
        labels: Mapping[str, str | None] = dict(
            rows_of(dataset, self.values).select("item_id", "label").iter_rows()
        )
        return [labels[item] for item in self.values]


def _same(label: str | None, hit_label: str | None) -> bool | None:
    """Return whether a hit is right; None if the query has no label."""
    return None if label is None else label == hit_label


@dataclass(frozen=True)
class _ImageFiles:
    """Reads image files, whose paths start from a folder."""

    folder: Path
    paths: Sequence[str]

    def encoded(self, numbers: Iterable[int]) -> list[bytes]:
        """Return some files in that order."""
        return [image_bytes(self.folder / self.paths[number]) for number in numbers]
