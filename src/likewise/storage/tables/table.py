"""An open table: its columns, rows, blobs, files and indices."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.errors import DataError, hint
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_columns
from likewise.storage.schema import Column, Contract
from likewise.storage.tables import (
    blobs,
    column_files,
    erase,
    full_text,
    opening,
    stored_schema,
)
from likewise.storage.tables.damage import damage_named, names_damage
from likewise.storage.tables.vector_index import VectorIndex

if TYPE_CHECKING:
    import lance

Vectors = npt.NDArray[np.floating[Any]]
"""(n, dim) embeddings as they are stored: float32 or float16."""


def open_table(path: Path, command: str = "") -> "Table":
    """Open the latest version of the table in ``path``.

    Args:
        path: the table's folder.
        command: the command that makes the table, for error messages.

    Raises:
        MissingArtefactError: there is no table.
        DataError: Lance cannot open the table.
    """
    return Table(path, command)


class Table:
    """One version of a table on disk.

    A *position* is the number of a row in the table's order, from 0. A table can be pickled:
    the process that receives it opens the same version again. Lance is not fork-safe, so do not
    use a table in a forked process.

    For other operations, open the folder with Lance: ``lance.dataset(table.path)``.
    """

    def __init__(self, path: Path, command: str = "", version: int | None = None) -> None:
        """Open the table in ``path``; see ``open_table``. The default is the latest version."""
        self._path = path
        self._command = command
        self._dataset: lance.LanceDataset = opening.open_dataset(path, command, version)

    def __repr__(self) -> str:
        return f"Table({str(self.path)!r}, rows={self.rows}, columns={self.columns})"

    def __reduce__(self) -> "tuple[Callable[..., Table], tuple[Path, str, int]]":
        return Table, (self._path, self._command, self._dataset.version)

    @property
    def path(self) -> Path:
        """The table's folder."""
        return self._path

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        with damage_named(self.path):
            return int(self._dataset.count_rows())

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema, with the metadata of its fields."""
        with damage_named(self.path):
            return self._dataset.schema

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return list(self.schema.names)

    @cached_property
    def metadata_columns(self) -> list[str]:
        """The columns that are neither blobs nor vectors."""
        return stored_schema.metadata_columns(self.schema)

    @cached_property
    def vector_columns(self) -> list[str]:
        """The columns of embeddings."""
        return stored_schema.vector_columns(self.schema)

    @property
    def blob_columns(self) -> list[str]:
        """The columns whose values are in pack files."""
        return stored_schema.blob_columns(self.schema)

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The columns of the source that no contract defines."""
        return stored_schema.source_columns(self.schema)

    @property
    @names_damage
    def storage_version(self) -> str:
        """The version of Lance's file format."""
        return str(self._dataset.data_storage_version)

    def need_column(self, name: str, noun: str = "column") -> None:
        """Check that the table has a column.

        Raises:
            DataError: the column is missing; the message names the nearest columns.
        """
        if name not in self.columns:
            raise DataError(f"no {noun} {name!r}; {hint(name, self.columns)}")

    def metadata(self, column: str) -> dict[str, str]:
        """Return the metadata of a column's field."""
        metadata = self.schema.field(column).metadata or {}
        return {key.decode(): value.decode() for key, value in metadata.items()}

    def passport(self, column: str) -> bytes:
        """Return the passport (model card, JSON) of a vector column.

        Raises:
            DataError: there is no such column, or it holds no vectors.
        """
        self.need_column(column)
        passport: bytes | None = (self.schema.field(column).metadata or {}).get(b"passport")
        if passport is None:
            raise DataError(f"{self.path.name}: the column {column!r} has no passport")
        return passport

    def dim(self, column: str) -> int:
        """Return the number of dimensions of a vector column."""
        return int(self.schema.field(column).type.list_size)

    def dtype(self, column: str) -> np.dtype[Any]:
        """Return the type of a vector column's values: float32 or float16."""
        dtype: type[np.generic] = self.schema.field(column).type.value_type.to_pandas_dtype()
        return np.dtype(dtype)

    def scan(
        self, columns: Sequence[str], where: str | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most ``BATCH`` rows in the table's order.

        Args:
            columns: names of columns; ``_rowoffset`` is a row's position.
            where: an SQL condition.
        """
        ahead: dict[str, Any] = {"io_buffer_size": opening.READ_AHEAD, "scan_in_order": True}
        scanner = self._dataset.scanner(
            columns=list(columns), filter=where, batch_size=opening.BATCH, **ahead
        )
        if where is not None:  # most of its errors are about the condition
            yield from scanner.to_batches()
            return
        with damage_named(self.path):
            yield from scanner.to_batches()

    @names_damage
    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Read columns of all rows into a frame; meant for metadata."""
        return pl.DataFrame(pl.from_arrow(self._dataset.to_table(columns=list(columns))))

    def frame(self) -> pl.LazyFrame:
        """Return the table as a lazy frame of polars, which reads only what it needs."""
        return pl.scan_lance(self._dataset)

    @names_damage
    def take(self, positions: Sequence[int], columns: Sequence[str]) -> pa.RecordBatch:
        """Read the rows at ``positions``, in that order; a position may occur twice."""
        table = self._dataset.take(list(positions), columns=list(columns))
        return pa.record_batch(
            [column.combine_chunks() for column in table.columns], schema=table.schema
        )

    @names_damage
    def vectors(self, column: str, positions: Sequence[int] | None = None) -> Vectors:
        """Read a vector column.

        Args:
            column: its name.
            positions: read only these rows, in this order.

        Returns:
            (rows, dim), or (len(positions), dim), in the stored type.
        """
        if positions is not None:
            return _as_matrix(self.take(positions, [column]).column(0), self.dim(column))
        out = np.empty((self.rows, self.dim(column)), self.dtype(column))
        start = 0
        for batch in self.vector_batches(column):
            out[start : start + len(batch)] = batch
            start += len(batch)
        return out

    def vector_batches(self, column: str) -> Iterator[Vectors]:
        """Yield a vector column as arrays (at most ``BATCH``, dim), in the table's order."""
        for batch in self.scan([column]):
            yield _as_matrix(batch.column(0), self.dim(column))

    @names_damage
    def blobs(self, column: str, positions: Sequence[int]) -> list[bytes]:
        """Read the blobs of the rows at ``positions``, in that order.

        Raises:
            MissingArtefactError: a pack file is not on disk.
        """
        return blobs.blobs_at_positions(self._dataset, column, positions)

    def digest(self, contract: Contract) -> Digests:
        """Compute the column digests of ``contract``; blobs are covered by their sha256 column.

        Raises:
            DataError: two rows have the same key.
        """
        names = [name for name in contract.names() if name not in contract.blobs()]
        empty = stored_schema.empty_batch(pa.schema([self.schema.field(n) for n in names]))

        def column(name: str) -> Iterator[pa.Array]:
            yield empty[name]
            yield from (batch[name] for batch in self.scan([name]))

        return digest_columns(contract.key, names, column)

    @names_damage
    def files(self, columns: Collection[str]) -> list[str]:
        """List the files of ``columns`` and their indices, relative to the table's folder.

        An index is a folder; its name ends in a slash.
        """
        return column_files.files_of(self._dataset, columns)

    @names_damage
    def pack_files(self, column: str, positions: Sequence[int]) -> list[str]:
        """List the pack files of some rows' blobs, relative to the table's folder."""
        return blobs.pack_files(self._dataset, column, positions)

    @names_damage
    def missing_vectors(self) -> list[str]:
        """List the vector columns whose files are not on disk."""
        return column_files.missing_vectors(self._dataset, self.path)

    @names_damage
    def is_complete(self) -> bool:
        """Return whether every file of this version is on disk, pack files included."""
        return column_files.is_complete(self._dataset, self.path)

    @names_damage
    def files_contain(self, column: str, hashes: Collection[str]) -> bool:
        """Return whether a file holds a value of ``column`` that begins with one of ``hashes``.

        Rows that were deleted count until their fragment is rewritten; see ``erase_rows``.
        """
        return bool(erase.fragments_with(self._dataset, column, hashes))

    def create_scalar_index(self, column: str, kind: Literal["BTREE", "BITMAP"]) -> None:
        """Build an index for filters on ``column``."""
        self._dataset.create_scalar_index(column, kind)

    def create_text_index(self, columns: Sequence[str]) -> None:
        """Build a full-text index (English stems) of each of ``columns``."""
        full_text.create_text_index(self._dataset, columns)

    @names_damage
    def text_index_columns(self) -> list[str]:
        """List the columns that have a full-text index."""
        return full_text.text_index_columns(self._dataset)

    @names_damage
    def search_text(self, columns: Sequence[str], text: str) -> pl.DataFrame:
        """Find all rows that contain a word of ``text``, in no order.

        Returns:
            ``row`` (Int64), the position, and ``score`` (Float32, BM25).
        """
        return full_text.search_text(self._dataset, columns, text)

    def vector_index(self, column: str) -> VectorIndex:
        """Return the ANN index of a vector column, to build it or to search by it."""
        return VectorIndex(self._dataset, column)


def _as_matrix(lists: pa.FixedSizeListArray, dim: int) -> Vectors:
    """View a list array as (rows, dim)."""
    flat: Vectors = lists.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, dim)
