"""Lance tables: write, evolve, open and read them; the door to pylance.

LanceDB carries another release of Lance inside, so tables are written with pylance only, in the
storage version that both can read (``schema.STORAGE_VERSION``).
"""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.digests import Digests, digest_columns
from likewise.errors import DataError, MissingArtefactError, cannot_write, hint
from likewise.schema import STORAGE_VERSION, Column, Contract, explained

if TYPE_CHECKING:
    import lance

# Arrow's own pool keeps what it once had: 110 MB more at the peak of a large ingest.
pa.set_memory_pool(pa.system_memory_pool())

_PACKED = {
    "inline_size_threshold": 0,
    "dedicated_size_threshold": 64 << 20,
    "pack_file_size_threshold": 64 << 20,
}
"""Blobs lie in packs of 256 MiB beside the table, whose metadata can so be had alone."""

_INLINE = 0
"""The kind of a blob that lies in the data file itself."""

_WORDS = "_words"

_BLOBS_AT_ONCE = 16
"""Pictures that are in memory while a fragment is written anew."""

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


def lance_schema(
    contract: Contract, metadata: dict[str, dict[str, str]] | None = None
) -> pa.Schema:
    """The contract's schema as Lance stores it; ``metadata`` goes to the fields it names."""
    import lance

    fields = [
        lance.blob_field(c.name, nullable=c.nullable, **_PACKED)
        if c.blob
        else pa.field(c.name, c.type, nullable=c.nullable)
        for c in contract.columns
    ]
    extra = metadata or {}
    return pa.schema([f.with_metadata(extra[f.name]) if f.name in extra else f for f in fields])


def stored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` with its binary columns as the blobs of a ``lance_schema``; no copy."""
    columns = [
        _blob(column, field) if _is_blob(field) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def nothing(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows, for digests: an empty table gives no batch, and has columns."""
    # Arrow's own ways to an empty batch import pandas, where that is installed.
    return pa.record_batch([pa.nulls(0, field.type) for field in schema], schema)


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


def files_of(dataset: "lance.LanceDataset", columns: Collection[str]) -> list[str]:
    """The files, below the table's folder, in which ``columns`` and their indices lie."""
    numbers = {field.id(): field.name() for field in dataset.lance_schema.fields()}
    found = {
        f"data/{file.path}"
        for fragment in dataset.get_fragments()
        for file in fragment.metadata.files
        if {numbers.get(number) for number in file.fields} & set(columns)
    }
    found |= {
        f"_indices/{segment.uuid}/"
        for index in dataset.describe_indices()
        for segment in index.segments
        if set(index.field_names) <= set(columns)
    }
    return sorted(found)


def absent(dataset: "lance.LanceDataset", path: Path) -> list[str]:
    """The vector columns of the table in ``path`` whose files are not there."""
    return [
        name
        for name in vector_columns(dataset)
        if not all((path / file).exists() for file in files_of(dataset, [name]))
    ]


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
        field = schema.field(name)
        yield pa.nulls(0, field.type)
        yield from frame[[name]].to_arrow().cast(pa.schema([field]))[name].chunks

    contents = "content" if "content" in schema.names else None
    digests = digest_columns(contract.key, schema.names, column, contents)
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


def describe_column(path: Path, column: str, metadata: dict[str, str | None]) -> None:
    """Have a column's field carry other metadata."""
    open_table(path, "").update_field_metadata({column: metadata}, replace=True)
    settle(path)


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
    blobs = [field.name for field in dataset.schema if _is_blob(field)]
    scanner = dataset.scanner(
        columns=[name for name in dataset.schema.names if name not in blobs],
        fragments=[f for f in dataset.get_fragments() if f.fragment_id == number],
        with_row_address=True,
        batch_size=_BLOBS_AT_ONCE if blobs else BATCH,
    )
    for batch in scanner.to_batches():
        starts = pl.Series(batch.column(column)).str.head(64)
        kept = batch.filter(pa.array((~starts.is_in(wanted)).to_list(), pa.bool_()))
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
    found = _blobs(dataset, column, {"addresses": addresses.to_pylist()})
    return pa.array(found, pa.large_binary())


def settle(path: Path) -> None:
    """Forget the steps that led to the table's present version, and their files."""
    open_table(path, "").cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)


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


def index_words(dataset: "lance.LanceDataset", columns: Sequence[str]) -> None:
    """Give text columns an index of their words, for ``search_words``; English stems."""
    for column in columns:
        dataset.create_scalar_index(
            column, "INVERTED", name=f"{column}{_WORDS}", with_position=False, replace=True
        )


def word_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns whose words are indexed."""
    names = [index.name for index in dataset.describe_indices()]
    return [name.removesuffix(_WORDS) for name in names if name.endswith(_WORDS)]


def search_words(
    dataset: "lance.LanceDataset", columns: Sequence[str], text: str
) -> pl.DataFrame:
    """``_rowoffset`` and ``_score`` (BM25) of all rows that have a word of ``text``."""
    query = {"query": text, "columns": list(columns)}
    found = dataset.scanner(
        columns=["_rowoffset", "_score"],
        full_text_query=query,
        limit=max(1, dataset.count_rows()),
    ).to_table()
    return pl.DataFrame(pl.from_arrow(found))


def metadata_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns that are neither blobs nor vectors."""
    return [f.name for f in dataset.schema if not _is_blob(f) and not is_vector(f)]


def vector_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns that are vectors."""
    return [f.name for f in dataset.schema if is_vector(f)]


def blob_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns whose bytes lie beside the table."""
    return [f.name for f in dataset.schema if _is_blob(f)]


def further_columns(dataset: "lance.LanceDataset") -> tuple[Column, ...]:
    """The columns that are no contract's but the source's own; they say what they mean."""
    return tuple(
        Column(
            f.name,
            f.type,
            f.metadata[b"meaning"].decode(),
            f.metadata[b"unit"].decode(),
            f.nullable,
        )
        for f in dataset.schema
        if b"meaning" in (f.metadata or {})
    )


def is_vector(field: pa.Field) -> bool:
    """Whether a column is an embedding: its field carries a passport."""
    return b"passport" in (field.metadata or {})


def digest(dataset: "lance.LanceDataset", contract: Contract) -> Digests:
    """The digests of a table's present content; a blob is vouched for by its sha256 column."""
    names = [n for n in contract.names() if n not in contract.blobs()]
    empty = nothing(pa.schema([dataset.schema.field(n) for n in names]))

    def column(name: str) -> Iterator[pa.Array]:
        yield empty[name]
        yield from (batch[name] for batch in scan(dataset, [name]))

    return digest_columns(
        contract.key, names, column, "content" if "content" in names else None
    )


def need_column(dataset: "lance.LanceDataset", name: str, noun: str = "column") -> None:
    """Refuse a column that the table does not have.

    Raises:
        DataError: the column, and the nearest there are.
    """
    if name not in dataset.schema.names:
        raise DataError(f"no {noun} {name!r}; {hint(name, dataset.schema.names)}")


def packs(dataset: "lance.LanceDataset", column: str, rows: Sequence[int]) -> list[str]:
    """The files, below the table's folder, in which the blobs of ``rows`` lie packed."""
    parts = {"id": f"{column}.blob_id", "kind": f"{column}.kind"}
    scanner = dataset.scanner(columns=parts, with_row_address=True, scan_in_order=True)
    found = pl.DataFrame(pl.from_arrow(scanner.to_table()))[list(rows)]
    distinct = found.select("id", "kind", fragment=pl.col("_rowaddr") // (1 << 32)).unique()
    stems = {
        fragment.fragment_id: [Path(file.path).stem for file in fragment.metadata.files]
        for fragment in dataset.get_fragments()
    }
    # Lance names a pack after its number's bits, the lowest first.
    return sorted(
        f"data/{stem}/{f'{number:032b}'[::-1]}.blob"
        for number, kind, fragment in distinct.iter_rows()
        for stem in stems[fragment]
        if kind != _INLINE
    )


def read_blobs(dataset: "lance.LanceDataset", column: str, rows: Sequence[int]) -> list[bytes]:
    """The blobs of the ``rows`` (positions in the table), in that order."""
    return _blobs(dataset, column, {"indices": list(rows)})


def _blobs(dataset: "lance.LanceDataset", column: str, rows: dict[str, Any]) -> list[bytes]:
    try:
        found = dataset.read_blobs(column, **rows, preserve_order=True)
    except (OSError, ValueError) as error:
        if "not found" not in str(error).lower():
            raise
        command = "likewise pull DATASET --images"
        raise MissingArtefactError(
            "some of the images' pixels are not here", command
        ) from error
    return [data or b"" for _, data in found]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _blob(values: pa.Array, field: pa.Field) -> pa.Array:
    storage = field.type.storage_type
    parts = [values, *(pa.nulls(len(values), storage[n].type) for n in range(1, len(storage)))]
    whole = pa.StructArray.from_arrays(parts, names=[part.name for part in storage])
    return pa.ExtensionArray.from_storage(field.type, whole)


def _is_blob(field: pa.Field) -> bool:
    return isinstance(field.type, pa.BaseExtensionType) and "blob" in field.type.extension_name


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
