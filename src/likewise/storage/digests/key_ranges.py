"""Compute digests in bounded memory: the columns wait in files and are sorted by ranges."""

import hashlib
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.formats.array_types import Int64Array
from likewise.storage.digests.digest_file import CONTENT, DIGITS, Digests
from likewise.storage.digests.digester import (
    COLUMN_HEAD,
    SET_HEAD,
    TEXT,
    Digester,
    canonical,
    encoded,
    repeated_error,
)

MOST_ROWS = 500_000
"""Up to this number of rows, ``digester_for`` keeps all columns in memory."""

_RANGE_ROWS = 1 << 19
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")
"""Texts such as hashes take half of the space."""

_MOST_RANGES = 256
_SAMPLED = 64
_EXAMPLES = 100
"""Number of keys of each batch that choose the ranges, and of repeated keys in an error."""


def digester_for(key: str, rows: int, folder: Path) -> Digester:
    """Return a digester of about ``rows`` rows; many rows are sorted in files in ``folder``."""
    return RangeDigester(key, folder) if rows > MOST_ROWS else Digester(key)


class RangeDigester(Digester):
    """Collects batches of a table in files and computes the same digests as ``Digester``.

    Each column is distributed to ranges of the sorted keys, sorted in each range, and hashed
    range by range. Memory: one range of one column, and 8 bytes per row.
    """

    def __init__(self, key: str, folder: Path, range_rows: int = _RANGE_ROWS) -> None:
        """Start without rows.

        Args:
            key: the column that identifies a row.
            folder: a folder for temporary files; it is created.
            range_rows: approximate number of rows in a range.
        """
        super().__init__(key)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._range_rows = folder, range_rows
        self._files: dict[str, _ColumnFile] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch: the next rows of some columns."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            values = canonical(column)
            if name not in self._files:
                path = self._folder / f"{len(self._files)}.arrow"
                self._files[name] = _ColumnFile(path, values.type)
            self._files[name].write(values)

    def digests(self) -> Digests:
        """Compute the digests of all batches that were added.

        Raises:
            DataError: two rows have the same key.
        """
        for file in self._files.values():
            file.close()
        rows = self._files[self.key].rows
        streams = _Streams(self._folder / "key")
        ranks = self._ranks(streams)
        head = hashlib.sha256(COLUMN_HEAD)
        streams.feed(head, rows)
        digests, contents = {}, None
        for name, file in self._files.items():
            hasher = head.copy()
            if name != self.key:
                contents = self._set(file) if name == CONTENT else contents
                self._sorted(file, ranks).feed(hasher, rows)
            digests[name] = hasher.hexdigest()[:DIGITS]
        return Digests(rows, digests, contents)

    def _ranks(self, streams: "_Streams") -> Int64Array:
        """Return the place (rows,) of each row in the order of keys; encode the keys."""
        file = self._files[self.key]
        ranks: Int64Array = np.empty(file.rows, np.int64)
        base, count = 0, 0
        examples: list[Any] = []
        for keys, places in self._value_ranges(file):
            order = keys.arg_sort(nulls_last=True).to_numpy()
            ranks[places[order]] = np.arange(base, base + len(order))
            base += len(order)
            ordered = keys.gather(order)
            repeated = ordered[1:].filter(ordered[1:].eq_missing(ordered[:-1]))
            different = repeated.unique(maintain_order=True)
            count += len(different)
            examples += different.head(_EXAMPLES - len(examples)).to_list()
            streams.add(_text(ordered))
        if count:
            raise repeated_error(self.key, examples, count)
        return ranks

    def _sorted(self, file: "_ColumnFile", ranks: Int64Array) -> "_Streams":
        """Encode a column in the order of keys."""
        streams = _Streams(self._folder / "column")
        size = max(self._range_rows, math.ceil(file.rows / _MOST_RANGES))
        ranges = _Ranges(self._folder, file.type, max(1, math.ceil(file.rows / size)))
        start = 0
        for values in file.read():
            own = ranks[start : start + len(values)]
            ranges.distribute(values, own, own // size)
            start += len(values)
        for values, own in ranges.read():
            streams.add(_taken(values, np.argsort(own)))
        return streams

    def _set(self, file: "_ColumnFile") -> str:
        """Return the digest of the set of values; see ``digest_set``."""
        streams = _Streams(self._folder / "set")
        count = 0
        for values, _ in self._value_ranges(file):
            different = values.unique().sort(nulls_last=True)
            count += len(different)
            streams.add(_text(different))
        hasher = hashlib.sha256(SET_HEAD)
        streams.feed(hasher, count)
        return hasher.hexdigest()[:DIGITS]

    def _value_ranges(self, file: "_ColumnFile") -> Iterator[tuple[pl.Series, Int64Array]]:
        """Yield the texts of a column by ascending ranges, with their rows."""
        sample = pl.Series(file.sample, dtype=pl.String).drop_nulls().sort()
        count = min(max(1, math.ceil(file.rows / self._range_rows)), _MOST_RANGES)
        cuts = sample.gather(
            [len(sample) * n // count for n in range(1, count)] * bool(len(sample))
        )
        ranges = _Ranges(self._folder, file.type, count)
        start = 0
        for values in file.read():
            texts = pl.Series(values)
            numbers = np.full(len(texts), len(cuts))
            valid = texts.is_not_null().to_numpy()
            numbers[valid] = cuts.search_sorted(texts.drop_nulls(), side="right").to_numpy()
            ranges.distribute(values, np.arange(start, start + len(values)), numbers)
            start += len(values)
        for texts, places in ranges.read():
            yield pl.Series(texts), places


def _text(series: pl.Series) -> pa.Array:
    return series.rechunk().to_arrow().cast(TEXT)


def _taken(values: pa.Array, places: Int64Array) -> pa.Array:
    stored = pa.large_string() if values.type == TEXT else values.type
    return values.cast(stored).take(pa.array(places)).cast(values.type)


class _ColumnFile:
    """The values of a column in the order of the table, in a file."""

    def __init__(self, path: Path, kind: pa.DataType) -> None:
        self.type, self.rows = kind, 0
        self.sample: list[Any] = []
        self._path = path
        # Arrow's files hold views as they are, with the whole buffers that they refer to.
        self._stored = pa.large_string() if kind == TEXT else kind
        schema = pa.schema([("value", self._stored)])
        self._writer = pa.ipc.new_stream(str(path), schema, options=_COMPRESSED)

    def write(self, values: pa.Array) -> None:
        self.rows += len(values)
        if self.type == TEXT:
            every = max(1, len(values) // _SAMPLED)
            self.sample += pl.Series(values).gather_every(every).to_list()
        self._writer.write(pa.record_batch([values.cast(self._stored)], names=["value"]))

    def close(self) -> None:
        self._writer.close()

    def read(self) -> Iterator[pa.Array]:
        with pa.ipc.open_stream(str(self._path)) as reader:
            for batch in reader:
                yield batch.column(0).cast(self.type)


class _Ranges:
    """Values with a number each, distributed to files; one file is read at a time."""

    def __init__(self, folder: Path, kind: pa.DataType, count: int) -> None:
        self._type = kind
        self._stored = pa.large_string() if kind == TEXT else kind
        schema = pa.schema([("value", self._stored), ("number", pa.int64())])
        self._paths = [folder / f"range-{number}.arrow" for number in range(count)]
        self._stack = ExitStack()
        self._writers = [
            self._stack.enter_context(pa.ipc.new_stream(str(path), schema, options=_COMPRESSED))
            for path in self._paths
        ]

    def distribute(self, values: pa.Array, numbers: Int64Array, ranges: Int64Array) -> None:
        """Add ``values`` with their ``numbers`` to the files ``ranges`` (n,)."""
        for number in np.unique(ranges).tolist():
            places = np.flatnonzero(ranges == number)
            part = values if len(places) == len(values) else _taken(values, places)
            columns = [part.cast(self._stored), pa.array(numbers[places])]
            self._writers[number].write(pa.record_batch(columns, names=["value", "number"]))

    def read(self) -> Iterator[tuple[pa.Array, Int64Array]]:
        """Yield the values and numbers of each file, and remove it."""
        self._stack.close()
        for path in self._paths:
            with pa.ipc.open_stream(str(path)) as reader:
                table = reader.read_all()
            path.unlink()
            values = table["value"].combine_chunks().cast(self._type)
            yield values, table["number"].to_numpy()


class _Streams:
    """The encoding of a column as three files: kinds of values, lengths and values."""

    def __init__(self, path: Path) -> None:
        self._kind = ""
        self._paths = [path.with_name(f"{path.name}-{n}.stream") for n in range(3)]
        for part in self._paths:
            part.write_bytes(b"")

    def add(self, values: pa.Array) -> None:
        """Add the next values in the order of keys."""
        column = pa.chunked_array([values])
        parts = encoded(column, np.arange(len(values)))
        self._kind = bytes(next(parts)).split()[0].decode()
        streams = [1, 2, 3][: 2 if self._kind == "text" else 1]
        for path, _ in zip(self._paths, streams, strict=False):
            with path.open("ab") as handle:
                handle.write(next(parts))
        with self._paths[2].open("ab") as handle:
            for part in parts:
                handle.write(part)

    def feed(self, hasher: "hashlib._Hash", rows: int) -> None:
        """Hash the encoding of all values, and remove the files."""
        hasher.update(f"{self._kind} {rows}\n".encode())
        for path in self._paths:
            with path.open("rb") as handle:
                while part := handle.read(1 << 20):
                    hasher.update(part)
            path.unlink()
