"""Work out digests: from batches as they come, or column by column."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from likewise.errors import DataError, bounded
from likewise.storage.digests.digest_file import CONTENT, DIGITS, Digests, Split

Order = npt.NDArray[np.generic]
"""The places of a column's values in the order of the keys."""

_TEXT = pa.string_view()
"""Text as polars holds it: a view of either's column is no copy of it."""

_AT_ONCE = 1 << 16
"""So many texts are put in order at a time: all of them would be a second column."""


class Digester:
    """Takes a table batch by batch and keeps what its digests need.

    Wide values (lists, binary) are reduced to 32 bytes each as they come, so a table of vectors
    needs 32 bytes a row; narrow columns are held until the end.
    """

    def __init__(self, key: str) -> None:
        """Name the column whose values tell the rows apart."""
        self.key = key
        self._columns: dict[str, list[pa.Array]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take one batch: some columns of rows that follow those which came before.

        All columns may come in every batch, or one column's batches after another's.
        """
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self._columns.setdefault(name, []).append(_narrow(column))

    def seeing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """``batches``, each taken as it goes by."""
        for batch in batches:
            self.add(batch)
            yield batch

    def digests(self) -> Digests:
        """The digests of all that was added.

        Raises:
            DataError: two rows have the same key.
        """
        held = {name: pa.chunked_array(parts) for name, parts in self._columns.items()}
        return _digests(self.key, list(held), held.__getitem__)


def digest_columns(
    key: str,
    names: Sequence[str],
    column: Callable[[str], Iterable[pa.Array]],
) -> Digests:
    """The digests of a table that is read column by column: no more than two are held.

    Args:
        key: the column whose values tell the rows apart.
        names: all columns, the key among them.
        column: the parts of the column of a name; at least one, which may be empty.

    Raises:
        DataError: two rows have the same key.
    """

    def read(name: str) -> pa.ChunkedArray:
        return pa.chunked_array([_narrow(part) for part in column(name)])

    return _digests(key, names, read)


def _digests(
    key: str,
    names: Sequence[str],
    narrow: Callable[[str], pa.ChunkedArray],
) -> Digests:
    keys = narrow(key)
    order = _sorted(keys)
    head = hashlib.sha256(b"likewise column 1\n")
    for part in _encoded(keys, order):
        head.update(part)
    _refuse_twins(key, keys, order)
    rows = len(keys)
    del keys
    found, whole = {}, None
    for name in names:
        hasher = head.copy()
        if name != key:
            column = narrow(name)
            whole = digest_set(column) if name == CONTENT else whole
            for part in _encoded(column, order):
                hasher.update(part)
        found[name] = hasher.hexdigest()[:DIGITS]
    return Digests(rows, found, whole)


def digest_splits(items: pl.DataFrame) -> dict[str, Split]:
    """Each split of ``items`` (item_id, label, split), by name; of those in none, "".

    The digest is that of the label column of the split's own items: it is the same wherever
    the same items have the same labels, whatever the split is called there.
    """
    names = items["split"].fill_null("")
    found = {}
    for name in names.unique().sort():
        part = items.select("item_id", "label").filter(names == name)
        digests = digest_batches(part.to_arrow().to_batches(), "item_id")
        found[name] = Split(digests.rows, digests.columns["label"])
    return found


def digest_batches(batches: Iterable[pa.RecordBatch], key: str) -> Digests:
    """The digests of a table given as ``batches``, whose rows ``key`` tells apart."""
    digester = Digester(key)
    for batch in batches:
        digester.add(batch)
    return digester.digests()


def digest_set(values: pa.ChunkedArray) -> str:
    """The digest of the distinct values of a string column: which there are, not where."""
    values = values.cast(_TEXT)
    order = _sorted(values)
    hasher = hashlib.sha256(b"likewise set 1\n")
    for part in _encoded(values, order[~_repeats(values, order)]):
        hasher.update(part)
    return hasher.hexdigest()[:DIGITS]


def _sorted(values: pa.ChunkedArray) -> Order:
    """The places of the strings in the order of their bytes."""
    return pl.Series(values).arg_sort(nulls_last=True).to_numpy()


def _refuse_twins(key: str, keys: pa.ChunkedArray, order: Order) -> None:
    again = order[_repeats(keys, order)]
    if len(again):
        twins = pl.Series(keys).gather(again).unique(maintain_order=True)
        raise DataError(
            f"{key}: {len(twins):,} values stand twice: {bounded(twins, len(twins))}"
        )


def _repeats(values: pa.ChunkedArray, order: Order) -> npt.NDArray[np.bool_]:
    """Which of the ``values``, in an ``order`` that sorts them, are as the one before."""
    strings, found = pl.Series(values), np.zeros(len(order), bool)
    for start in range(0, len(order), _AT_ONCE):
        part = strings.gather(order[start : start + _AT_ONCE + 1])
        found[start + 1 : start + len(part)] = part[1:].eq_missing(part[:-1])
    return found


def _narrow(column: pa.Array) -> pa.Array:
    """``column`` in its canonical type; a wide value becomes the SHA-256 of its bytes."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _narrow(column.cast(kind.value_type))
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    ):
        return column.cast(_TEXT)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    return _hashed(_wide(column), column)


def _wide(column: pa.Array) -> Iterator[bytes | pa.Buffer]:
    """The bytes of every value that is there of a column of lists, or of bytes."""
    kind, there = column.type, column.drop_null()
    if pa.types.is_fixed_size_list(kind):
        return _list_rows(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return (json.dumps(value.as_py()).encode() for value in there)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return (value.as_buffer() for value in there)
    raise TypeError(f"no digest is defined for a column of {kind}")


def _list_rows(column: pa.FixedSizeListArray) -> Iterator[bytes]:
    """The bytes of every list that is there."""
    values = column.drop_null().flatten()
    if values.null_count:
        raise DataError("a vector or box holds an empty value")
    rows = values.to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
    return (row.tobytes() for row in np.ascontiguousarray(rows))


def _hashed(rows: Iterator[bytes | pa.Buffer], column: pa.Array) -> pa.Array:
    """One SHA-256 a value of ``column``, whose values that are there are ``rows``."""
    there = column.is_valid().to_numpy(zero_copy_only=False)
    hashes = [hashlib.sha256(next(rows)).digest() if ok else None for ok in there]
    return pa.array(hashes, pa.binary(32))


def _encoded(column: pa.ChunkedArray, order: Order) -> Iterator[bytes | pa.Buffer]:
    """Kind and length, one byte a value that says whether it is there, then the values."""
    there = column.is_valid().to_numpy().astype(np.uint8)[order]
    values: Iterable[bytes | pa.Buffer]
    if column.type == _TEXT:
        kind, values = "text", _text_values(column, order)
    elif pa.types.is_fixed_size_binary(column.type):
        taken = column.take(pa.array(order)).drop_null()
        kind, values = "wide", (value.as_buffer() for value in taken)
    elif pa.types.is_floating(column.type):
        kind, values = "real", [_numbers(column)[order].astype("<f8").tobytes()]
    else:
        kind, values = "integer", [_numbers(column)[order].astype("<i8").tobytes()]
    yield f"{kind} {len(order)}\n".encode()
    yield there.tobytes()
    yield from values


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    """The values, 0 where there is none."""
    numbers: npt.NDArray[np.generic] = pc.fill_null(column, 0).to_numpy()
    return numbers


def _text_values(column: pa.ChunkedArray, order: Order) -> Iterator[bytes]:
    """The lengths in bytes, 8 bytes each, then all of the UTF-8; empty where there is none."""
    strings = pl.Series(column)
    yield strings.str.len_bytes().fill_null(0).to_numpy()[order].astype("<i8").tobytes()
    for start in range(0, len(order), _AT_ONCE):
        part = strings.gather(order[start : start + _AT_ONCE])
        yield "".join(part.drop_nulls()).encode()
