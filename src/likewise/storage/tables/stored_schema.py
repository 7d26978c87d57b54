"""Schemas of tables: contracts as Lance stores them, and what kind a stored column is."""

from typing import TYPE_CHECKING

import pyarrow as pa

from likewise.schema import Column, Contract

if TYPE_CHECKING:
    import lance

_PACKED = {
    "inline_size_threshold": 0,
    "dedicated_size_threshold": 64 << 20,
    "pack_file_size_threshold": 64 << 20,
}
"""Blobs lie in packs of 256 MiB beside the table, whose metadata can so be had alone."""


_TEXT = {"lance-encoding:compression": "zstd"}
"""Lance's own choice for texts, FSST, draws a sample: the same texts never gave the same bytes,
and so were pushed again with every new column. zstd takes 6 % less; to read a row takes 1 us
more."""


def lance_schema(
    contract: Contract, metadata: dict[str, dict[str, str]] | None = None
) -> pa.Schema:
    """The contract's schema as Lance stores it; ``metadata`` goes to the fields it names."""
    extra = metadata or {}
    return pa.schema(
        [_field(column, extra.get(column.name, {})) for column in contract.columns]
    )


def _field(column: Column, metadata: dict[str, str]) -> pa.Field:
    import lance

    if column.blob:
        return lance.blob_field(column.name, nullable=column.nullable, **_PACKED)
    said = {**(_TEXT if column.type == pa.string() else {}), **metadata}
    return pa.field(column.name, column.type, column.nullable, said or None)


def stored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` with its binary columns as the blobs of a ``lance_schema``; no copy."""
    columns = [
        _blob(column, field) if is_blob(field) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def nothing(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows, for digests: an empty table gives no batch, and has columns."""
    # Arrow's own ways to an empty batch import pandas, where that is installed.
    return pa.record_batch([pa.nulls(0, field.type) for field in schema], schema)


def metadata_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns that are neither blobs nor vectors."""
    return [f.name for f in dataset.schema if not is_blob(f) and not is_vector(f)]


def vector_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns that are vectors."""
    return [f.name for f in dataset.schema if is_vector(f)]


def blob_columns(dataset: "lance.LanceDataset") -> list[str]:
    """The columns whose bytes lie beside the table."""
    return [f.name for f in dataset.schema if is_blob(f)]


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


def _blob(values: pa.Array, field: pa.Field) -> pa.Array:
    storage = field.type.storage_type
    parts = [values, *(pa.nulls(len(values), storage[n].type) for n in range(1, len(storage)))]
    whole = pa.StructArray.from_arrays(parts, names=[part.name for part in storage])
    return pa.ExtensionArray.from_storage(field.type, whole)


def is_blob(field: pa.Field) -> bool:
    """Whether a column's values are kept beside the table."""
    return isinstance(field.type, pa.BaseExtensionType) and "blob" in field.type.extension_name
