"""Column digests: the content of a column as one short string, whatever file holds it.

The digest of a column is the SHA-256 of its (key, value) pairs in the order of the keys, in a
plain encoding of its own. Row order, fragments, chunks, compaction, dictionary encoding and the
width of an integer or string type therefore never change it; any single value does.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from likewise.errors import DataError, bounded

DIGITS = 32
"""Hexadecimal digits kept of a SHA-256: 128 bits."""

CONTENT = "content"
"""The column of what is embedded; where it is no key, its values are digested as a set too."""


@dataclass(frozen=True)
class Split:
    """A part of a data set: how many items, and a digest of which they are and their labels."""

    items: int
    digest: str


@dataclass(frozen=True)
class Digests:
    """A table's row count and one digest a column; for items also one of their contents.

    ``further`` is one digest of all columns that are the source's own, in the published table:
    a stage can name it without knowing which they are.
    ``ann`` is how each vector column is indexed, for the stages that publish and that search.
    ``splits`` is each split of items, "" for items that are in none; columns vouch for it.
    """

    rows: int
    columns: dict[str, str]
    contents: str | None = None
    further: str | None = None
    splits: dict[str, Split] = field(default_factory=dict, compare=False)
    ann: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False)

    def to_yaml(self) -> str:
        """The digest file's text."""
        head: dict[str, object] = {"rows": self.rows}
        if self.contents is not None:
            head["contents"] = self.contents
        if self.further is not None:
            head["further"] = self.further
        if self.ann:
            head["ann"] = self.ann
        if self.splits:
            head["splits"] = {name: asdict(split) for name, split in self.splits.items()}
        return yaml.safe_dump({**head, "columns": self.columns}, sort_keys=False)

    @classmethod
    def from_yaml(cls, document: object, where: str) -> "Digests":
        """What a digest file says.

        Raises:
            DataError: the document is not what ``to_yaml`` writes.
        """
        if isinstance(document, dict):
            rows, columns = document.get("rows"), document.get("columns")
            if isinstance(rows, int) and isinstance(columns, dict):
                contents, further = document.get("contents"), document.get("further")
                splits = dict(_splits(document))
                ann = document.get("ann") or {}
                return cls(rows, columns, contents, further, splits, ann)
        raise DataError(f"{where}: not a digest file; make it anew with: dvc repro")


def with_further(digests: Digests, names: Sequence[str]) -> Digests:
    """The same with one digest of the columns ``names`` together, whatever their order."""
    hasher = hashlib.sha256(b"likewise further 1\n")
    for name in sorted(names):
        hasher.update(f"{name} {digests.columns[name]}\n".encode())
    return replace(digests, further=hasher.hexdigest()[:DIGITS])


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
    keys = narrow(key).cast(pa.large_string())
    order = pc.sort_indices(keys)
    keys = keys.take(order).combine_chunks()
    _refuse_twins(key, keys)
    head = _encoded(keys)
    found, whole = {}, None
    for name in names:
        hasher = hashlib.sha256(b"likewise column 1\n")
        for part in head:
            hasher.update(part)
        if name != key:
            column = narrow(name)
            whole = digest_set(column) if name == CONTENT else whole
            for part in _encoded(column.take(order).combine_chunks()):
                hasher.update(part)
        found[name] = hasher.hexdigest()[:DIGITS]
    return Digests(len(keys), found, whole)


def digest_splits(items: pa.Table) -> dict[str, Split]:
    """Each split of ``items`` (item_id, label, split), by name; of those in none, "".

    The digest is that of the label column of the split's own items: it is the same wherever
    the same items have the same labels, whatever the split is called there.
    """
    names = pc.fill_null(items["split"].cast(pa.large_string()), "")
    found = {}
    for name in sorted(pc.unique(names).to_pylist()):
        part = items.select(["item_id", "label"]).filter(pc.equal(names, name))
        digests = digest_batches(part.to_batches(), "item_id")
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
    distinct = pc.unique(values.cast(pa.large_string()))
    hasher = hashlib.sha256(b"likewise set 1\n")
    for part in _encoded(distinct.take(pc.sort_indices(distinct))):
        hasher.update(part)
    return hasher.hexdigest()[:DIGITS]


def _splits(document: dict[str, object]) -> Iterator[tuple[str, Split]]:
    """The splits that a digest file names; what is none of them is left out."""
    splits = document.get("splits")
    for name, said in splits.items() if isinstance(splits, dict) else ():
        if isinstance(said, dict) and set(said) == {"items", "digest"}:
            yield str(name), Split(**said)


def _refuse_twins(key: str, ordered: pa.Array) -> None:
    if len(ordered) < 2:
        return
    same = pc.equal(ordered.slice(1), ordered.slice(0, len(ordered) - 1))
    twins = pc.unique(ordered.slice(1).filter(same))
    if len(twins):
        raise DataError(
            f"{key}: {len(twins):,} values stand twice: {bounded(twins, len(twins))}"
        )


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
        return column.cast(pa.large_string())
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


def _encoded(array: pa.Array) -> list[bytes | memoryview]:
    """Kind and length, one byte a value that says whether it is there, then the values."""
    there = array.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8).tobytes()
    if pa.types.is_large_string(array.type):
        kind, values = "text", _text_values(array)
    elif pa.types.is_fixed_size_binary(array.type):
        kind, values = "wide", [b"".join(v.as_py() for v in array.drop_null())]
    elif pa.types.is_floating(array.type):
        kind, values = "real", [_numbers(array).astype("<f8").tobytes()]
    else:
        kind, values = "integer", [_numbers(array).astype("<i8").tobytes()]
    return [f"{kind} {len(array)}\n".encode(), there, *values]


def _numbers(array: pa.Array) -> npt.NDArray[np.generic]:
    """The values, 0 where there is none."""
    numbers: npt.NDArray[np.generic] = pc.fill_null(array, 0).to_numpy(zero_copy_only=False)
    return numbers


def _text_values(array: pa.Array) -> list[bytes | memoryview]:
    """The lengths in bytes, 8 bytes each, then all of the UTF-8; empty where there is none."""
    full = pc.fill_null(array, "")
    lengths = pc.binary_length(full).to_numpy(zero_copy_only=False).astype("<i8").tobytes()
    offsets, data = full.buffers()[1:3]
    if data is None or not len(full):
        return [lengths]
    edges = np.frombuffer(offsets, np.int64)[full.offset : full.offset + len(full) + 1]
    return [lengths, memoryview(data)[edges[0] : edges[-1]]]
