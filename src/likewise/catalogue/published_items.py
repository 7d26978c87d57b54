"""The items of a published table: rows by position, positions by id, pages."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Unpack

import polars as pl

from likewise.formats.array_types import Int32Array, Int64Array
from likewise.retrieval.browsing.browse_options import BrowseOptions
from likewise.retrieval.browsing.browsed import Browsed, SmallPicture
from likewise.retrieval.browsing.item_pages import ItemPages
from likewise.retrieval.browsing.rows_at import (
    check_columns,
    check_positions,
    existing_positions,
    read_rows,
)
from likewise.storage import tables


class PublishedItems:
    """The items of a published table, of which only those that are asked for are read."""

    name: str

    @property
    @abstractmethod
    def table(self) -> tables.Table:
        """The published table."""

    @abstractmethod
    def _need_vectors(self, model: str) -> None:
        """Fetch the vectors of ``model`` if they were not pulled."""

    @abstractmethod
    def thumbnails(self, positions: Sequence[int], side: int) -> Sequence[SmallPicture]:
        """Return small pictures of the items at ``positions``; nothing is fetched."""

    @cached_property
    def _ids(self) -> tables.RowIndex:
        return tables.RowIndex(self.table, "item_id")

    def find(self, ids: Sequence[str]) -> Int64Array:
        """Return the positions (ids,) of the items ``ids``; -1 where there is no such item."""
        return self._ids.positions(ids)

    def __len__(self) -> int:
        return self.table.rows

    def __iter__(self) -> Iterator[str]:
        return (str(i) for batch in self.table.scan(["item_id"]) for i in batch.column(0))

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and self._ids.positions([item_id])[0] != tables.NO_ROW

    def positions(self, ids: Sequence[str]) -> Int32Array:
        """Return the positions of the items ``ids``, from 0.

        Raises:
            UnknownNameError: there is no such item; the error lists similar ids.
        """
        return existing_positions(self.table, self._ids, ids, self.name)

    def rows(
        self, positions: Sequence[int] | Int32Array, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return the items at ``positions``, in that order; an item may occur twice.

        Only these rows are read, so the time does not depend on the size of the data set.

        Args:
            positions: positions of items in the data set, from 0.
            columns: names of columns, or of models for their vectors; by default all columns
                but the vectors.

        Raises:
            DataError: a position is not in the data set.
            UnknownNameError: there is no such column; the error lists similar ones.
            MissingArtefactError: the data set was not published yet.

        Example:
            >>> emoji.rows([2, 0], ["item_id", "label"]).rows()
            [('0_openmoji.jpg', '0'), ('0_fluent.jpg', '0')]
        """
        chosen = self.table.metadata_columns if columns is None else columns
        self._need_columns(chosen)
        return read_rows(self.table, check_positions(positions, len(self)), chosen)

    def browse(self, **options: Unpack[BrowseOptions]) -> Browsed:
        """Return a page of items that meet filters, and counts of values of columns.

        The options are those of ``likewise.browse``. What is read of a column is kept, so
        further pages of an open data set take milliseconds.

        Raises:
            UnknownOptionError: no such option; the error lists similar ones.
            UnknownNameError: no such column, or no item has the value of a filter.
            DataError: an option is out of range, or ``where`` is not a condition.

        Example:
            >>> cats = emoji.browse(filters={"label": "0"}, facets=["label", "split"], limit=2)
            >>> cats.total, cats.rows["item_id"].to_list()
            (5, ['0_fluent.jpg', '0_noto.jpg'])
        """
        self._need_columns(options.get("columns") or ())
        return replace(self._pages.browse(options), _dataset=self)

    @cached_property
    def _pages(self) -> ItemPages:
        return ItemPages(self.table, self.name)

    def _need_columns(self, columns: Sequence[str]) -> None:
        """Refuse unknown columns, and fetch the vectors of models that were not pulled."""
        check_columns(self.table, columns, self.name)
        for model in set(columns).intersection(self.table.vector_columns):
            self._need_vectors(model)
