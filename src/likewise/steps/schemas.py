"""Write the column contracts as files that a reviewer and another program can read."""

from pathlib import Path
from typing import Any

import yaml

from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.schema import (
    EMBEDDINGS,
    ITEMS,
    PUBLISHED,
    STORAGE_VERSION,
    TABLES,
    Column,
    Contract,
    vector,
)
from likewise.sources import SOURCES
from likewise.storage.workspace import Workspace

_HEAD = "# Written by `likewise schemas`; the contracts themselves are in likewise/schema.py.\n"

_VECTORS = {EMBEDDINGS.name: "vector", PUBLISHED.name: "<model>, one column each"}
"""Tables that also hold vectors -> what those columns are called."""


_FURTHER = (ITEMS.name, PUBLISHED.name)
"""Tables that also hold the columns that only one source has."""


def schemas(folder: StrPath | None = None, *, check: bool = False) -> list[str]:
    """Write a file a table into ``folder``, by default ``schemas/`` of the catalogue around.

    Args:
        folder: where the files belong.
        check: write nothing.

    Returns:
        The files that were written, or with ``check`` those that would be: ``schemas/x.yaml``.

    Raises:
        MissingArtefactError: no folder was named, and the current one is in no catalogue.
    """
    target = Workspace.find().schemas if folder is None else Path(folder)
    written = []
    for contract in TABLES:
        path = target / f"{contract.name}.yaml"
        text = _text(contract)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
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
    """The vector columns, whose length is their model's to say."""
    column = vector(called, 1, "float32")
    kind = "fixed_size_list of the model's dimensions, float32 or float16 as params.yaml says"
    return {**_column(column), "type": kind}
