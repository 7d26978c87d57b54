"""Take rows out of a table for good: out of its files, not only out of its rows."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from likewise.storage.tables.blobs import blobs_at
from likewise.storage.tables.reading import BATCH, exists, open_table
from likewise.storage.tables.stored_schema import blob_columns, stored
from likewise.storage.tables.writing import settle, write

if TYPE_CHECKING:
    import lance

_BLOBS_AT_ONCE = 16
"""Pictures that are in memory while a fragment is written anew."""


def holding(dataset: "lance.LanceDataset", column: str, hashes: Collection[str]) -> list[int]:
    """The fragments in whose files lies a value of ``column`` that begins with a hash.

    A row that was deleted lies there as long as its fragment is not written anew.
    """
    wanted = pl.Series(list(hashes), dtype=pl.String).implode()
    return [
        fragment.fragment_id
        for fragment in dataset.get_fragments()
        if _hashes(dataset, fragment, column).is_in(wanted).any()
    ]


def expunge(path: Path, column: str, hashes: Collection[str]) -> bool:
    """Take rows out of the table in ``path``, and every byte of them out of its files.

    ``drop`` only marks rows. Here the fragments that hold one, or held one that is deleted by
    now, are written anew without it, behind all others.

    Args:
        path: the table.
        column: a column of hashes, or of what begins with one.
        hashes: SHA-256 of 64 digits.

    Returns:
        Whether there was anything to take out.
    """
    if not hashes or not exists(path):
        return False
    dataset = open_table(path, "")
    found = holding(dataset, column, hashes)
    for number in found:
        write(path, dataset.schema, _rest(dataset, number, column, hashes))
    for number in found:
        # By the rows' addresses: Lance keeps the words of the last deletion.
        open_table(path, "").delete(
            f"_rowaddr >= {number << 32} AND _rowaddr < {(number + 1) << 32}"
        )
    if found:
        settle(path)
    return bool(found)


def _hashes(dataset: "lance.LanceDataset", fragment: Any, column: str) -> pl.Series:
    """The first 64 characters of every value in a fragment's file, of deleted rows too."""
    scanner = dataset.scanner(
        columns=[column], fragments=[fragment], include_deleted_rows=True, with_row_id=True
    )
    found = pl.DataFrame(pl.from_arrow(scanner.to_table().select([column])))
    return found[column].str.head(64)


def _rest(
    dataset: "lance.LanceDataset", number: int, column: str, hashes: Collection[str]
) -> Iterator[pa.RecordBatch]:
    """The rows of a fragment without those whose ``column`` begins with a hash."""
    wanted = pl.Series(list(hashes), dtype=pl.String).implode()
    blobs = blob_columns(dataset)
    scanner = dataset.scanner(
        columns=[name for name in dataset.schema.names if name not in blobs],
        fragments=[f for f in dataset.get_fragments() if f.fragment_id == number],
        with_row_address=True,
        batch_size=_BLOBS_AT_ONCE if blobs else BATCH,
    )
    for batch in scanner.to_batches():
        starts = pl.Series(batch.column(column)).str.head(64)
        kept = batch.filter((~starts.is_in(wanted)).to_arrow())
        if not len(kept):
            continue
        columns = [
            _blobs_at(dataset, field.name, kept["_rowaddr"])
            if field.name in blobs
            else kept[field.name]
            for field in dataset.schema
        ]
        plain = pa.record_batch(columns, names=dataset.schema.names)
        yield stored(plain, dataset.schema)


def _blobs_at(dataset: "lance.LanceDataset", column: str, addresses: pa.Array) -> pa.Array:
    found = blobs_at(dataset, column, {"addresses": addresses.to_pylist()})
    return pl.Series(found, dtype=pl.Binary).to_arrow().cast(pa.large_binary())
