"""Compute digests, batch by batch or column by column."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.storage.digests.digest_file import CONTENT, DIGITS, Digests, Split

Order = npt.NDArray[np.generic]
"""(rows,) the positions of a column's values, sorted by key."""

TEXT = pa.string_view()
"""The type of text in polars; Arrow and polars share such a column without a copy."""

COLUMN_HEAD, SET_HEAD = b"likewise column 1\n", b"likewise set 1\n"
"""First bytes of what the digests of columns and of sets hash."""

_CHUNK_ROWS = 1 << 16
"""Number of texts that are reordered together; all texts would need the memory of a second
column.
"""


class Digester:
    """Collects batches of a table and computes its digests.

    A wide value (list or binary) is reduced to its SHA-256 when it is added, so a table of
    vectors needs 32 bytes per row. All other columns stay in memory until the end.
    """

    def __init__(self, key: str) -> None:
        """Start without rows; ``key`` is the column that identifies a row."""
        self.key = key
        self._columns: dict[str, list[pa.Array]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch: the next rows of some columns.

        A batch may have all columns, or all batches of one column may come before the next.
        """
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self._columns.setdefault(name, []).append(canonical(column))

    def tap(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``batches`` unchanged and add each of them."""
        for batch in batches:
            self.add(batch)
            yield batch

    def digests(self) -> Digests:
        """Compute the digests of all batches that were added.

        Raises:
            DataError: two rows have the same key.
        """
        columns = {name: pa.chunked_array(parts) for name, parts in self._columns.items()}
        return _digests(self.key, list(columns), columns.__getitem__)


def digest_columns(
    key: str,
    names: Sequence[str],
    column: Callable[[str], Iterable[pa.Array]],
) -> Digests:
    """Compute digests of a table column by column; at most two columns are in memory.

    Args:
        key: the column that identifies a row.
        names: all columns, the key included.
        column: returns the arrays of a column; at least one, which may be empty.

    Raises:
        DataError: two rows have the same key.
    """

    def read(name: str) -> pa.ChunkedArray:
        return pa.chunked_array([canonical(part) for part in column(name)])

    return _digests(key, names, read)


def _digests(
    key: str,
    names: Sequence[str],
    column_of: Callable[[str], pa.ChunkedArray],
) -> Digests:
    keys = column_of(key)
    order = _sorted(keys)
    head = hashlib.sha256(COLUMN_HEAD)
    for part in encoded(keys, order):
        head.update(part)
    _check_unique(key, keys, order)
    rows = len(keys)
    del keys
    digests, contents = {}, None
    for name in names:
        hasher = head.copy()
        if name != key:
            column = column_of(name)
            contents = digest_set(column) if name == CONTENT else contents
            for part in encoded(column, order):
                hasher.update(part)
        digests[name] = hasher.hexdigest()[:DIGITS]
    return Digests(rows, digests, contents)


def digest_splits(items: pl.DataFrame) -> dict[str, Split]:
    """Compute the digest of each split; items without a split form the split "".

    The digest of a split is the digest of the label column of its items. The digest does not
    depend on the name of the split: two data sets with the same items and labels have the same
    digest.

    Args:
        items: item_id, label and split of every item.
    """
    names = items["split"].fill_null("")
    splits = {}
    for name in names.unique().sort():
        part = items.select("item_id", "label").filter(names == name)
        table = part.to_arrow(compat_level=pl.CompatLevel.newest())  # without a copy of texts
        digests = digest_batches(table.to_batches(), "item_id")
        splits[name] = Split(digests.rows, digests.columns["label"])
    return splits


def digest_batches(batches: Iterable[pa.RecordBatch], key: str) -> Digests:
    """Compute the digests of a table given as ``batches``; ``key`` identifies a row."""
    digester = Digester(key)
    for batch in batches:
        digester.add(batch)
    return digester.digests()


def digest_set(values: pa.ChunkedArray) -> str:
    """Compute the digest of the set of values of a string column."""
    values = values.cast(TEXT)
    order = _sorted(values)
    hasher = hashlib.sha256(SET_HEAD)
    for part in encoded(values, order[~_is_duplicate(values, order)]):
        hasher.update(part)
    return hasher.hexdigest()[:DIGITS]


def _sorted(values: pa.ChunkedArray) -> Order:
    """Return the positions of the strings, sorted by their bytes."""
    return pl.Series(values).arg_sort(nulls_last=True).to_numpy()


def _check_unique(key: str, keys: pa.ChunkedArray, order: Order) -> None:
    repeated = order[_is_duplicate(keys, order)]
    if len(repeated):
        duplicates = pl.Series(keys).gather(repeated).unique(maintain_order=True)
        count = len(duplicates)
        raise repeated_error(key, duplicates, count)


def repeated_error(key: str, examples: Iterable[str], count: int) -> DataError:
    """Return the error that ``count`` keys occur more than once."""
    return DataError(
        f"{key}: {counted(count, 'value', 'occurs', 'occur')} twice: {bounded(examples, count)}"
    )


def _is_duplicate(values: pa.ChunkedArray, order: Order) -> npt.NDArray[np.bool_]:
    """Return (rows,) True where a value, in sorted order, equals its predecessor."""
    strings, duplicate = pl.Series(values), np.zeros(len(order), bool)
    for start in range(0, len(order), _CHUNK_ROWS):
        part = strings.gather(order[start : start + _CHUNK_ROWS + 1])
        duplicate[start + 1 : start + len(part)] = part[1:].eq_missing(part[:-1])
    return duplicate


def canonical(column: pa.Array) -> pa.Array:
    """Cast ``column`` to its canonical type; a wide value becomes the SHA-256 of its bytes."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return canonical(column.cast(kind.value_type))
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    ):
        return column.cast(TEXT)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    return _hashed(_value_bytes(column), column)


def _value_bytes(column: pa.Array) -> Iterator[bytes | pa.Buffer]:
    """Yield the bytes of every value that is not null, of a column of lists or binary."""
    kind, values = column.type, column.drop_null()
    if pa.types.is_fixed_size_list(kind):
        return _list_rows(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return (json.dumps(value.as_py()).encode() for value in values)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return (value.as_buffer() for value in values)
    raise TypeError(f"no digest is defined for a column of {kind}")


def _list_rows(column: pa.FixedSizeListArray) -> Iterator[bytes]:
    """Yield the bytes of every list that is not null."""
    values = column.drop_null().flatten()
    if values.null_count:
        raise DataError("a vector or box contains a null value")
    rows = values.to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
    return (row.tobytes() for row in np.ascontiguousarray(rows))


def _hashed(rows: Iterator[bytes | pa.Buffer], column: pa.Array) -> pa.Array:
    """Return the SHA-256 of each value; ``rows`` are the bytes of those that are not null."""
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    hashes = [hashlib.sha256(next(rows)).digest() if ok else None for ok in valid]
    return pa.array(hashes, pa.binary(32))


def encoded(column: pa.ChunkedArray, order: Order) -> Iterator[bytes | pa.Buffer]:
    """Yield the encoding: kind and length, a byte per value (0 for null), then the values."""
    valid = column.is_valid().to_numpy().astype(np.uint8)[order]
    values: Iterable[bytes | pa.Buffer]
    if column.type == TEXT:
        kind, values = "text", _text_values(column, order)
    elif pa.types.is_fixed_size_binary(column.type):
        taken = column.take(pa.array(order)).drop_null()
        kind, values = "wide", (value.as_buffer() for value in taken)
    elif pa.types.is_floating(column.type):
        kind, values = "real", [_numbers(column)[order].astype("<f8").tobytes()]
    else:
        kind, values = "integer", [_numbers(column)[order].astype("<i8").tobytes()]
    yield f"{kind} {len(order)}\n".encode()
    yield valid.tobytes()
    yield from values


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    """Return the values, 0 for null."""
    numbers: npt.NDArray[np.generic] = pc.fill_null(column, 0).to_numpy()
    return numbers


def _text_values(column: pa.ChunkedArray, order: Order) -> Iterator[bytes]:
    """Yield the lengths in bytes (int64, 0 for null), then the UTF-8 text of all values."""
    strings = pl.Series(column)
    yield strings.str.len_bytes().fill_null(0).to_numpy()[order].astype("<i8").tobytes()
    for start in range(0, len(order), _CHUNK_ROWS):
        part = strings.gather(order[start : start + _CHUNK_ROWS])
        yield "".join(part.drop_nulls()).encode()
