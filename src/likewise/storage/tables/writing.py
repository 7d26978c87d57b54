"""Write tables and change them."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, cannot_write
from likewise.schema import STORAGE_VERSION, Column, Contract, explained
from likewise.storage.digests import Digests, digest_columns
from likewise.storage.tables.reading import BATCH, exists, open_table
from likewise.storage.tables.stored_schema import lance_schema


def write(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write a new table in ``path``, or append to the one that is there.

    ``batches`` is read once, as it is written; nothing holds more than a few of them.

    Raises:
        DataError: the disk is full, or the like; what Lance said.
    """
    import lance

    reader = pa.RecordBatchReader.from_batches(schema, batches)
    there = exists(path)
    if not there:
        shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lance.write_dataset(
            reader,
            path,
            mode="append" if there else "create",
            data_storage_version=STORAGE_VERSION,
        )
    except OSError as error:
        said = cannot_write(error) or str(error).splitlines()[0]
        raise DataError(f"{path.name} could not be written: {said}") from error


def add_column(path: Path, field: pa.Field, batches: Iterable[pa.RecordBatch]) -> None:
    """Give the table in ``path`` one more column, in data files of its own.

    ``batches`` hold that column alone, for every row in the table's order.

    Raises:
        DataError: the disk is full, or the like; what Lance said.
    """
    reader = pa.RecordBatchReader.from_batches(pa.schema([field]), batches)
    try:
        open_table(path, "").add_columns(reader)
    except (OSError, ValueError) as error:
        said = cannot_write(error) or str(error).splitlines()[0]
        raise DataError(f"{path.name} could not be written: {said}") from error


def write_frame(
    path: Path, contract: Contract, frame: pl.DataFrame, further: Sequence[Column] = ()
) -> Digests:
    """Write ``frame`` as a table of ``contract`` in ``path``; its digests.

    ``further`` are columns of a source's own, which stand after the contract's.
    """
    contract = contract.with_columns(*further)
    schema = contract.arrow()
    frame = frame.select(contract.names())

    def column(name: str) -> Iterator[pa.Array]:
        kind = schema.field(name).type
        # Text as polars holds it is no copy.
        kind = pa.string_view() if pa.types.is_string(kind) else kind
        yield pa.nulls(0, kind)
        for part in frame[[name]].iter_slices(BATCH):
            yield from part.to_arrow()[name].cast(kind).chunks

    digests = digest_columns(contract.key, schema.names, column)
    parts = (part.to_arrow().cast(schema) for part in frame.iter_slices(BATCH))
    batches = (batch for part in parts for batch in part.to_batches())
    write(path, lance_schema(contract, explained(further)), batches)
    return digests


def link_tree(source: Path, target: Path) -> None:
    """Make ``target`` the same tree as ``source`` without copying a byte, where links work.

    Lance only adds files and renames, so the two tables never touch each other.
    """
    building = target.with_name(f"{target.name}.linking")
    shutil.rmtree(building, ignore_errors=True)
    shutil.copytree(source, building, copy_function=_link)
    building.rename(target)


def next_fragment(path: Path) -> int:
    """The number that the next fragment of the table in ``path`` will have; 0 for no table."""
    if not exists(path):
        return 0
    return 1 + max((f.fragment_id for f in open_table(path, "").get_fragments()), default=-1)


def drop(path: Path, column: str, values: Sequence[str], before: int | None = None) -> None:
    """Take the rows whose ``column`` is one of ``values`` out of the table in ``path``.

    With ``before``, only out of the fragments of lower numbers: rows written since stay.
    """
    if not values:
        return
    dataset = open_table(path, "")
    for start in range(0, len(values), 1000):
        listed = ", ".join(_quoted(v) for v in values[start : start + 1000])
        older = "" if before is None else f"_rowaddr < {before << 32} AND "
        dataset.delete(f"{older}{column} IN ({listed})")


def describe_column(path: Path, column: str, metadata: dict[str, str | None]) -> None:
    """Have a column's field carry other metadata."""
    open_table(path, "").update_field_metadata({column: metadata}, replace=True)
    settle(path)


def settle(path: Path) -> None:
    """Forget the steps that led to the table's present version, and their files."""
    open_table(path, "").cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
