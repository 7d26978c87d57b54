"""Erase rows from the files of a table, not only from its present version."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from likewise.storage.tables.blobs import blobs_at_addresses
from likewise.storage.tables.opening import BATCH, exists, open_dataset
from likewise.storage.tables.stored_schema import as_blobs, blob_columns
from likewise.storage.tables.writing import remove_old_versions, write

if TYPE_CHECKING:
    import lance

_BLOBS_AT_ONCE = 16
"""Number of images that are in memory while a fragment is rewritten."""


def fragments_with(
    dataset: "lance.LanceDataset", column: str, hashes: Collection[str]
) -> list[int]:
    """List the fragments whose files hold a value of ``column`` that begins with a hash.

    Rows that were deleted count: they stay in the file until their fragment is rewritten.
    """
    erased = pl.Series(list(hashes), dtype=pl.String).implode()
    return [
        fragment.fragment_id
        for fragment in dataset.get_fragments()
        if _stored_hashes(dataset, fragment, column).is_in(erased).any()
    ]


def erase_rows(path: Path, column: str, hashes: Collection[str]) -> bool:
    """Remove rows from the table in ``path``, and every byte of them from its files.

    ``delete_rows`` only marks rows as deleted. Here every fragment that holds such a row, even
    one that was deleted before, is rewritten without it and appended to the table.

    Args:
        path: the table.
        column: a column whose values are, or begin with, SHA-256 hashes.
        hashes: the hashes (64 hexadecimal digits) of the rows to remove.

    Returns:
        True if any row was removed.
    """
    if not hashes or not exists(path):
        return False
    dataset = open_dataset(path)
    fragments = fragments_with(dataset, column, hashes)
    for number in fragments:
        write(path, dataset.schema, _remaining_rows(dataset, number, column, hashes))
    for number in fragments:
        # Rows are selected by address: Lance stores the text of the last deletion's condition.
        open_dataset(path).delete(
            f"_rowaddr >= {number << 32} AND _rowaddr < {(number + 1) << 32}"
        )
    if fragments:
        remove_old_versions(path)
    return bool(fragments)


def _stored_hashes(dataset: "lance.LanceDataset", fragment: Any, column: str) -> pl.Series:
    """Read the first 64 characters of every value of a fragment, deleted rows included."""
    scanner = dataset.scanner(
        columns=[column], fragments=[fragment], include_deleted_rows=True, with_row_id=True
    )
    values = pl.DataFrame(pl.from_arrow(scanner.to_table().select([column])))
    return values[column].str.head(64)


def _remaining_rows(
    dataset: "lance.LanceDataset", number: int, column: str, hashes: Collection[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a fragment whose ``column`` does not begin with a hash."""
    erased = pl.Series(list(hashes), dtype=pl.String).implode()
    blobs = blob_columns(dataset.schema)
    scanner = dataset.scanner(
        columns=[name for name in dataset.schema.names if name not in blobs],
        fragments=[f for f in dataset.get_fragments() if f.fragment_id == number],
        with_row_address=True,
        batch_size=_BLOBS_AT_ONCE if blobs else BATCH,
    )
    for batch in scanner.to_batches():
        starts = pl.Series(batch.column(column)).str.head(64)
        kept = batch.filter((~starts.is_in(erased)).to_arrow())
        if not len(kept):
            continue
        columns = [
            _blob_array(dataset, field.name, kept["_rowaddr"])
            if field.name in blobs
            else kept[field.name]
            for field in dataset.schema
        ]
        plain = pa.record_batch(columns, names=dataset.schema.names)
        yield as_blobs(plain, dataset.schema)


def _blob_array(dataset: "lance.LanceDataset", column: str, addresses: pa.Array) -> pa.Array:
    blobs = blobs_at_addresses(dataset, column, addresses.to_pylist())
    return pl.Series(blobs, dtype=pl.Binary).to_arrow().cast(pa.large_binary())
