"""Write tables and change them."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, cannot_write
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_columns
from likewise.storage.schema import STORAGE_VERSION, Column, Contract, explained
from likewise.storage.tables.opening import BATCH, exists, open_dataset
from likewise.storage.tables.stored_schema import lance_schema


def write(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write a new table in ``path``, or append to the table there.

    ``batches`` are written one by one; only a few are in memory at a time.

    Raises:
        DataError: writing failed, for example because the disk is full.
    """
    import lance

    reader = pa.RecordBatchReader.from_batches(schema, batches)
    appending = exists(path)
    if not appending:
        shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lance.write_dataset(
            reader,
            path,
            mode="append" if appending else "create",
            data_storage_version=STORAGE_VERSION,
        )
    except OSError as error:
        raise write_error(path, error) from error


def add_column(path: Path, field: pa.Field, batches: Iterable[pa.RecordBatch]) -> None:
    """Add a column to the table in ``path``, in data files of its own.

    Args:
        path: the table.
        field: the column.
        batches: its values for every row, in the table's order.

    Raises:
        DataError: writing failed, for example because the disk is full.
    """
    reader = pa.RecordBatchReader.from_batches(pa.schema([field]), batches)
    try:
        open_dataset(path).add_columns(reader)
    except (OSError, ValueError) as error:
        raise write_error(path, error) from error


def write_frame(
    path: Path,
    contract: Contract,
    frame: pl.DataFrame,
    source_columns: Sequence[Column] = (),
) -> Digests:
    """Write ``frame`` as a table of ``contract`` in ``path`` and return its digests.

    Args:
        path: the table.
        contract: its columns.
        frame: its rows.
        source_columns: columns of the source, which follow those of the contract.

    Raises:
        DataError: writing failed, or two rows have the same key.
    """
    contract = contract.with_columns(*source_columns)
    schema = contract.arrow()
    frame = frame.select(contract.names())

    def column(name: str) -> Iterator[pa.Array]:
        kind = schema.field(name).type
        # Polars stores text as string views: this type needs no copy.
        is_text = pa.types.is_string(kind)
        kind = pa.string_view() if is_text else kind
        level = pl.CompatLevel.newest() if is_text else pl.CompatLevel.oldest()
        yield pa.nulls(0, kind)
        for part in frame[[name]].iter_slices(BATCH):
            yield from part.to_arrow(compat_level=level)[name].cast(kind).chunks

    digests = digest_columns(contract.key, schema.names, column)
    parts = (part.to_arrow().cast(schema) for part in frame.iter_slices(BATCH))
    batches = (batch for part in parts for batch in part.to_batches())
    write(path, lance_schema(contract, explained(source_columns)), batches)
    return digests


def link_tree(source: Path, target: Path) -> None:
    """Copy the folder ``source`` to ``target`` by hard links, or by copies where links fail.

    Lance only adds, renames and removes files, so a change of one table never shows in the
    other.
    """
    building = target.with_name(f"{target.name}.linking")
    shutil.rmtree(building, ignore_errors=True)
    shutil.copytree(source, building, copy_function=_link)
    building.rename(target)


def next_fragment(path: Path) -> int:
    """Return the number of the next fragment of the table in ``path``; 0 without a table."""
    if not exists(path):
        return 0
    numbers = (fragment.fragment_id for fragment in open_dataset(path).get_fragments())
    return 1 + max(numbers, default=-1)


def delete_rows(
    path: Path, column: str, values: Sequence[str], before: int | None = None
) -> None:
    """Mark the rows of the table in ``path`` whose ``column`` is one of ``values`` as deleted.

    Args:
        path: the table.
        column: a text column.
        values: its values in the rows to delete.
        before: delete only in fragments below this number, so that newer rows stay.
    """
    if not values:
        return
    dataset = open_dataset(path)
    gone = pl.Series(values, dtype=pl.String).implode()
    scanner = dataset.scanner([column], with_row_address=True, batch_size=BATCH)
    addresses: list[int] = []
    for batch in scanner.to_batches():
        rows = pl.DataFrame(pl.from_arrow(batch)).filter(pl.col(column).is_in(gone))
        addresses += rows["_rowaddr"].to_list()
    if before is not None:
        addresses = [address for address in addresses if address < before << 32]
    if addresses:  # one commit: with many, each of them lists all files again
        listed = ", ".join(map(str, addresses))
        dataset.delete(f"_rowaddr IN ({listed})")


def set_column_metadata(path: Path, column: str, metadata: dict[str, str | None]) -> None:
    """Replace the metadata of a column's field."""
    open_dataset(path).update_field_metadata({column: metadata}, replace=True)
    remove_old_versions(path)


def remove_old_versions(path: Path) -> None:
    """Remove all versions but the latest, and every file that only they use."""
    open_dataset(path).cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)


def write_error(path: Path, error: Exception) -> DataError:
    """Return the error that a table could not be written, and why."""
    reason = cannot_write(error) or str(error).splitlines()[0]
    return DataError(f"{path.name} could not be written: {reason}")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
