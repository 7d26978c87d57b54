"""The rows of a result: a polars frame that is also a sequence of rows."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar, overload

import polars as pl

from likewise.errors import UnknownNameError
from likewise.formats.counted_nouns import counted

Row = TypeVar("Row")


class Rows(Generic[Row]):
    """Rows of a table, in order; ``frame`` holds all of them as a polars frame.

    ``rows["score"]`` is a column, ``rows[0]`` a row and ``rows[:5]`` the first five rows.
    Polars, pyarrow and pandas also take the object itself: ``pl.DataFrame(rows)``.
    """

    @property
    @abstractmethod
    def frame(self) -> pl.DataFrame:
        """All rows as a polars frame."""

    @abstractmethod
    def _row(self, values: dict[str, Any]) -> Row:
        """Make one row from its values by column."""

    @abstractmethod
    def _part(self, frame: pl.DataFrame) -> Self:
        """Return this result with only the rows of ``frame``."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.frame.columns

    def to_polars(self) -> pl.DataFrame:
        """All rows as a polars frame."""
        return self.frame

    def to_dicts(self) -> list[dict[str, Any]]:
        """Every row as a mapping of column to value."""
        return self.frame.to_dicts()

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self.frame.iter_rows(named=True))

    @overload
    def __getitem__(self, key: str) -> pl.Series: ...
    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: str | int | slice) -> pl.Series | Row | Self:
        if isinstance(key, str):
            if key not in self.frame.columns:
                raise UnknownNameError("column", key, self.frame.columns)
            return self.frame[key]
        if isinstance(key, slice):
            return self._part(self.frame[key])
        if not -len(self) <= key < len(self):
            raise IndexError(f"row {key} of {len(self):,}")
        return self._row(self.frame.row(key, named=True))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"{type(self).__name__}, {counted(len(self), 'row')}\n{self.frame}"

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()
