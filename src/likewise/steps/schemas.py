"""Write the column contracts of the tables as YAML files."""

from pathlib import Path
from typing import Any

import yaml

from likewise.catalogue.catalogue import open_workspace
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.formats.text_files import read_text
from likewise.sources import SOURCES
from likewise.storage.schema import (
    EMBEDDINGS,
    ITEMS,
    PUBLISHED,
    STORAGE_VERSION,
    TABLES,
    Column,
    Contract,
    vector,
)

_HEAD = "# Written by `likewise schemas` from the contracts in likewise/storage/schema.py.\n"

_VECTORS = {EMBEDDINGS.name: "vector", PUBLISHED.name: "<model>, one column each"}
"""Tables with vector columns -> the names of those columns."""


_FURTHER = (ITEMS.name, PUBLISHED.name)
"""Tables that also hold columns of a single source."""


def schemas(folder: StrPath | None = None, *, check: bool = False) -> list[str]:
    """Write one file per table, with its columns, types, units and meanings.

    Args:
        folder: folder for the files; by default ``schemas/`` of the catalogue around the
            current folder.
        check: list the outdated files without writing them.

    Returns:
        The files that were written, or with ``check`` the outdated ones: ``schemas/x.yaml``.

    Raises:
        MissingArtefactError: no folder was given, and the current folder is in no catalogue.

    Example:
        >>> written = likewise.schemas("contracts")
        >>> "contracts/items.yaml" in written
        True
        >>> likewise.schemas("contracts", check=True)
        []
    """
    target = open_workspace().schemas if folder is None else Path(folder)
    written = []
    for contract in TABLES:
        path = target / f"{contract.name}.yaml"
        text = _text(contract)
        if path.is_file() and read_text(path) == text:
            continue
        written.append(f"{target.name}/{path.name}")
        if not check:
            atomic.write_text(path, text)
    return written


def _text(contract: Contract) -> str:
    document: dict[str, Any] = {
        "table": contract.name,
        "meaning": contract.meaning,
        "key": contract.key,
        "storage_version": STORAGE_VERSION,
        "columns": [_column(column) for column in contract.columns],
    }
    if contract.name in _FURTHER:
        document["further"] = {
            kind: [_column(column) for column in SOURCES.load(kind).extra_columns]
            for kind in SOURCES.builtin()
            if SOURCES.load(kind).extra_columns
        }
    if contract.name in _VECTORS:
        document["vectors"] = _vectors(_VECTORS[contract.name])
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=96)


def _column(column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name,
        "type": str(column.type),
        "nullable": column.nullable,
    }
    if column.unit:
        facts["unit"] = column.unit
    if column.blob:
        facts["blob"] = True
    return {**facts, "meaning": column.meaning}


def _vectors(called: str) -> dict[str, Any]:
    """Describe the vector columns; their length depends on the model."""
    column = vector(called, 1, "float32")
    kind = "fixed_size_list of the model's dimensions, float32 or float16 as params.yaml says"
    return {**_column(column), "type": kind}
