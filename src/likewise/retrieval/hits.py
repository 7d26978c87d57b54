"""Hits of a search, as a table with pictures."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import polars as pl

from likewise.errors import DataError, LikewiseError
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.formats.rows import Rows
from likewise.pages import notebook
from likewise.pages.contact_sheet import contact_sheet
from likewise.pages.gallery import Tile, search_page, thumbnail
from likewise.pages.query_sheet import RowSection, need_room, rows_image, rows_page
from likewise.pages.tiles import Pictured, item_tiles, rows_of
from likewise.pages.written import write_page
from likewise.retrieval.asked_queries import AskedQueries
from likewise.retrieval.search_query import Query, image_bytes, query_pictures
from likewise.storage.tables import NO_ROW

SHOWN = 12
"""Number of hits whose pictures a notebook shows."""


@dataclass(frozen=True)
class Hit:
    """One hit of a search.

    Attributes:
        rank: 1 for the best.
        score: the cosine to the query; BM25 for keywords alone, and the sum of
            1 / (60 + rank) for keywords together with vectors.
        item_id: id of the item.
        label: class of the item; None if it has none.
        text: the class in words; None if there are none.
        subset: subset of the item; None if it has none.
        split: split of the item; None if it has none.
        path: image that contains the item.
        dataset: data set of the item.
        query: name of the query; only for hits of ``search_many``.
    """

    rank: int
    score: float
    item_id: str
    label: str | None
    text: str | None
    subset: str | None
    split: str | None
    path: str
    dataset: str
    query: str | None = None


class Hits(Rows[Hit]):
    """Hits of a search, best first; those of ``search_many`` query by query.

    ``len(hits)``, ``hits[0]`` (a ``Hit``), ``hits[:5]`` and ``for hit in hits`` work as on a
    list. ``hits["score"]`` is a column, and ``hits.frame`` the polars frame of all hits.
    ``to_html`` and ``to_png`` write the pictures; a notebook shows the first of them.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        datasets: Mapping[str, Pictured],
        query: Query | None = None,
        *,
        exact: bool | None = None,
        asked: AskedQueries | None = None,
    ) -> None:
        """Keep the table of hits, the data sets that were searched, the query or queries."""
        self._frame = frame
        self._datasets = datasets
        self._query = query
        self._exact = exact
        self._asked = asked

    @property
    def exact(self) -> bool | None:
        """True if the search compared all items that its filter keeps.

        An approximate index compares all of them where the filter keeps few. False if it did
        not; None for several queries or data sets.
        """
        return self._exact

    @property
    def frame(self) -> pl.DataFrame:
        """All hits as a polars frame.

        Columns: rank (from 1), score, item_id, label, text, subset, split, path (of the
        image) and dataset. Hits of ``search_many`` have a first column query.
        """
        return self._frame

    def _row(self, values: dict[str, Any]) -> Hit:
        return Hit(**values)

    def _part(self, frame: pl.DataFrame) -> Self:
        asked = self._asked.only(set(frame["query"])) if self._asked else None
        return type(self)(frame, self._datasets, self._query, exact=self._exact, asked=asked)

    def by_query(self) -> dict[str, "Hits"]:
        """Return the hits by the name of their query; queries without hits are left out.

        Raises:
            DataError: these are the hits of one ``search``.
        """
        if "query" not in self.columns:
            raise DataError(
                "these hits belong to one query; only hits of search_many can be divided by "
                "query"
            )
        parts = self._frame.partition_by("query", as_dict=True, maintain_order=True)
        return {str(name): self._part(part) for (name,), part in parts.items()}

    def to_html(self, path: StrPath, *, note: str = "") -> None:
        """Write a page with the pictures of the query and of the hits.

        The page needs no other file and no network. Hits of several queries are one row per
        query. A hit is right (green) if it has the label of the query, and wrong (red) if it
        has another one; the label is that of the item, or the column ``label`` of the queries.

        Args:
            path: the file to write.
            note: a line about the search, such as the model and the filter.

        Raises:
            MissingArtefactError: the images of a data set were not pulled.
            DataError: the queries are too many for a figure, or the file cannot be written.
        """
        if self._asked is None:
            write_page(path, self._drawn_by(search_page, note))
        else:
            section = RowSection("", "", self._asked.rows(*self._searched()))
            write_page(path, rows_page(self._title, [section], note))

    def to_png(self, path: StrPath, *, note: str = "") -> None:
        """Write the pictures of the query and of the hits as one image (PNG); see ``to_html``.

        Raises:
            DataError: the image would have a side of more than 65,535 pixels, or more pixels
                than programs open; the message has the number of queries that fit.
        """
        if self._asked is None:
            write_page(path, self._drawn_by(contact_sheet, note))
        else:
            counts = self._frame["query"].value_counts()["count"].to_list()
            need_room(len(self._asked.names), max(counts, default=0))  # before pictures
            rows = self._asked.rows(*self._searched())
            write_page(path, rows_image(self._title, rows, note))

    def _repr_html_(self) -> str:
        table = super()._repr_html_()
        try:
            tiles = self._tiles(self._frame.head(SHOWN))
        except (LikewiseError, OSError):  # several queries, or images that were not pulled
            return table
        title = f"{counted(len(self), 'hit')} in {self._title}"
        return notebook.gallery(tiles, title, self._first_rank) + table

    def _drawn_by(self, draw: Callable[..., str | bytes], note: str) -> str | bytes:
        """Draw the pictures of the query and of the hits by a function of ``pages``."""
        tiles = self._tiles(self._frame)
        return draw(self._title, self._query_tiles(), tiles, note, first_rank=self._first_rank)

    def _searched(self) -> tuple[Pictured, pl.DataFrame]:
        """Return the one data set that several queries searched, and their hits."""
        [dataset] = self._datasets.values()
        return dataset, self._frame

    @property
    def _first_rank(self) -> int:
        """Rank of the first hit; above 1 for a search with an offset."""
        return int(self._frame["rank"][0]) if len(self) else 1

    @property
    def _title(self) -> str:
        return ", ".join(dataset.card.title for dataset in self._datasets.values())

    def _tiles(self, hits: pl.DataFrame) -> list[Tile]:
        """Return the pictures of hits; those with a label of the query's items are marked."""
        if "query" in hits.columns and hits["query"].n_unique() > 1:
            raise DataError(
                "a page shows the hits of one query; divide the hits with by_query first"
            )
        labels = set(rows_of(*self._holder())["label"]) if self._ids else set()
        tiles = {
            name: iter(item_tiles(dataset, hits.filter(dataset=name)["item_id"].to_list()))
            for name, dataset in self._datasets.items()
        }
        captioned = []
        for dataset, score, label in hits.select("dataset", "score", "label").iter_rows():
            tile = next(tiles[dataset])
            name = f"{dataset}: {tile.name}" if len(self._datasets) > 1 else tile.name
            same = label in labels if labels else None
            captioned.append(replace(tile, name=name, score=score, same=same))
        return captioned

    @property
    def _ids(self) -> list[str]:
        return self._query.ids if self._query else []

    def _holder(self) -> tuple[Pictured, list[str]]:
        """Return the first data set that has all items of the query, and the items' ids."""
        for dataset in self._datasets.values():
            if (dataset.find(self._ids) != NO_ROW).all():
                return dataset, self._ids
        return next(iter(self._datasets.values())), self._ids

    def _query_tiles(self) -> list[Tile]:
        """Return the pictures of the query, if it has any."""
        if self._query is None:
            return []
        if self._query.ids:
            return item_tiles(*self._holder())
        tiles = []
        for image in self._query.images:
            name = Path(image).name if isinstance(image, str | os.PathLike) else "a picture"
            if self._query.box is None and isinstance(image, str | os.PathLike | bytes):
                # The file's bytes, so that the thumbnail is rotated as those of the hits are.
                tiles.append(Tile(name, thumbnail(image_bytes(image))))
            else:
                (picture,) = query_pictures(replace(self._query, image=image))
                tiles.append(Tile(name, thumbnail(picture)))
        return tiles
