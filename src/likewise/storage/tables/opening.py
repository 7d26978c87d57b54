"""Open tables and read them."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.errors import DataError, MissingArtefactError, hint
from likewise.schema import Contract
from likewise.storage.digests import Digests, digest_columns
from likewise.storage.tables.stored_schema import nothing

if TYPE_CHECKING:
    import lance

BATCH = 8192
"""Rows of metadata, or of vectors, that are read or written at a time."""


def open_table(path: Path, command: str) -> "lance.LanceDataset":
    """The Lance table in ``path``; ``command`` is what makes it.

    Raises:
        MissingArtefactError: there is no table.
        DataError: there is something that Lance cannot open.
    """
    import lance

    if not exists(path):
        raise MissingArtefactError(f"no table {path.parent.name}/{path.name}", command)
    try:
        return lance.dataset(path)
    except (ValueError, OSError) as error:
        said = str(error).splitlines()[0]
        raise DataError(
            f"{path.name} is damaged ({said}); make it anew with: {command}"
        ) from error


def exists(path: Path) -> bool:
    """Whether a table was ever committed in ``path``; a killed first write leaves none."""
    return any(path.glob("_versions/*.manifest"))


def mark(path: Path) -> str:
    """What tells the versions of tables apart: 32 digits of a hash of the table's manifests.

    A manifest names its data files, whose names no two writes share; see ``digest`` for what
    tells contents apart.
    """
    hasher = hashlib.sha256()
    for manifest in sorted(path.glob("_versions/*.manifest")):
        hasher.update(hashlib.sha256(manifest.read_bytes()).digest())
    return hasher.hexdigest()[:32]


def scan(
    dataset: "lance.LanceDataset", columns: Sequence[str], where: str | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of ``columns`` in the table's order."""
    yield from dataset.scanner(
        columns=list(columns), filter=where, batch_size=BATCH, scan_in_order=True
    ).to_batches()


def read(dataset: "lance.LanceDataset", columns: Sequence[str]) -> pl.DataFrame:
    """``columns`` of the whole table as a frame; for metadata, not for pixels or vectors."""
    return pl.DataFrame(pl.from_arrow(dataset.to_table(columns=list(columns))))


def read_vectors(dataset: "lance.LanceDataset", column: str) -> npt.NDArray[np.floating[Any]]:
    """A vector column as an array: (rows, dimensions), in the table's order, as stored."""
    field = dataset.schema.field(column)
    dtype = field.type.value_type.to_pandas_dtype()
    out = np.empty((dataset.count_rows(), field.type.list_size), dtype)
    row = 0
    for batch in scan(dataset, [column]):
        flat = batch.column(0).flatten().to_numpy(zero_copy_only=False)
        out[row : row + len(batch)] = flat.reshape(len(batch), -1)
        row += len(batch)
    return out


def digest(dataset: "lance.LanceDataset", contract: Contract) -> Digests:
    """The digests of a table's present content; a blob is vouched for by its sha256 column."""
    names = [n for n in contract.names() if n not in contract.blobs()]
    empty = nothing(pa.schema([dataset.schema.field(n) for n in names]))

    def column(name: str) -> Iterator[pa.Array]:
        yield empty[name]
        yield from (batch[name] for batch in scan(dataset, [name]))

    return digest_columns(contract.key, names, column)


def need_column(dataset: "lance.LanceDataset", name: str, noun: str = "column") -> None:
    """Refuse a column that the table does not have.

    Raises:
        DataError: the column, and the nearest there are.
    """
    if name not in dataset.schema.names:
        raise DataError(f"no {noun} {name!r}; {hint(name, dataset.schema.names)}")
