"""Tables that grow: rows that are still valid are kept, only missing ones are computed."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.catalogue import takedowns
from likewise.storage import tables

SAVED_SECONDS = 15.0
"""Shortest interval between two saves, each of which writes a fragment."""

SAVED_SHARE = 0.02
"""Interval between two saves, as a share of the time since the start. A killed step loses at
most this share of its work, and a step of a day writes some 300 fragments instead of 5,000."""

SAVED_BYTES = 256 << 20
"""Bytes of rows in memory that are saved at once."""


@dataclass(frozen=True)
class StartingRows:
    """The rows that a table starts with.

    Attributes:
        keys: keys of the valid rows.
        dropped: number of rows that were removed because no key is wanted any more.
    """

    keys: pl.Series
    dropped: int


class IncrementalTable:
    """A staged table of one row a key, begun with the valid rows of an earlier one.

    Call ``start`` once, ``append`` for every batch of new rows, and ``finish`` at the end.
    """

    def __init__(self, path: Path, schema: pa.Schema, key: str) -> None:
        """Describe the table; nothing is written.

        Args:
            path: folder of the staged table; a killed run may have left rows there.
            schema: schema of the table, with the metadata of its columns.
            key: column of unique texts, the first of ``schema``.
        """
        self.path = path
        self._schema, self._key = schema, key
        self._batches: list[pa.RecordBatch] = []
        self._began = self._saved = time.monotonic()
        self._nbytes = 0

    def start(
        self, earlier: Path, keys: pl.Series, is_current: Callable[[Path], bool]
    ) -> StartingRows:
        """Keep the valid rows of a killed run, or else of ``earlier``.

        Args:
            earlier: the table of the last version.
            keys: keys that the finished table will have; rows with other keys are removed.
            is_current: tells whether the rows of a table were made as new ones would be.
        """
        if not is_current(self.path):
            shutil.rmtree(self.path, ignore_errors=True)
            if not is_current(earlier):
                return StartingRows(keys.clear(), 0)
            tables.link_tree(earlier, self.path)
        stored = tables.open_table(self.path, "").read([self._key])[self._key]
        valid = stored.is_in(keys.implode())
        tables.delete_rows(self.path, self._key, stored.filter(~valid).to_list())
        return StartingRows(stored.filter(valid), int((~valid).sum()))

    def erase(self, record: takedowns.Record) -> None:
        """Remove every byte of what was taken down from the files of the table."""
        tables.erase_rows(self.path, self._key, record.hashes)

    def keys(self) -> pl.Series:
        """Read the keys of all rows that were written."""
        if not tables.exists(self.path):
            return pl.Series(self._key, [], pl.String)
        return tables.open_table(self.path, "").read([self._key])[self._key]

    def adopt(self, written: Sequence[tables.WrittenFragments], keys: pl.Series) -> None:
        """Add fragments that other processes have written, by one commit.

        Rows of the table with one of their keys are removed first.

        Args:
            written: the fragments; those that the table has are not added again.
            keys: the keys of their rows.
        """
        stored = self.keys()
        double = stored.filter(stored.is_in(keys.implode()))
        if len(double):
            tables.delete_rows(self.path, self._key, double.to_list())
        tables.add_fragments(self.path, self._schema, written)

    def set_metadata(self, column: str, metadata: Mapping[str, str]) -> None:
        """Add ``metadata`` to the field of ``column``, for stored rows and rows to come."""
        at = self._schema.get_field_index(column)
        field = self._schema.field(at)
        merged = {
            **(field.metadata or {}),
            **{k.encode(): v.encode() for k, v in metadata.items()},
        }
        self._schema = self._schema.set(at, field.with_metadata(merged))
        if tables.exists(self.path):
            texts = {key.decode(): value.decode() for key, value in merged.items()}
            tables.set_column_metadata(self.path, column, texts)

    def append(self, keys: Sequence[str], columns: Sequence[pa.Array]) -> None:
        """Append rows; they are written after some time, or once they are many.

        See ``SAVED_SECONDS``, ``SAVED_SHARE`` and ``SAVED_BYTES``.

        Args:
            keys: the rows' keys.
            columns: the other columns, in the order of the schema.
        """
        arrays = [pa.array(keys, pa.string()), *columns]
        self._batches.append(pa.record_batch(arrays, schema=self._schema))
        self._nbytes += self._batches[-1].nbytes
        now = time.monotonic()
        interval = max(SAVED_SECONDS, SAVED_SHARE * (now - self._began))
        if self._nbytes > SAVED_BYTES or now - self._saved > interval:
            self.save()

    def save(self) -> None:
        """Write the rows that were appended since the last save."""
        if self._batches:
            tables.write(self.path, self._schema, self._batches)
        self._batches, self._nbytes, self._saved = [], 0, time.monotonic()

    def finish(self) -> None:
        """Write the remaining rows, or an empty table if there are none; drop old versions."""
        self.save()
        if not tables.exists(self.path):
            tables.write(self.path, self._schema, [])
        tables.remove_old_versions(self.path)
