"""``facts.json`` of a stored index: its metadata, and a seal of its files."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from likewise.registry import Part
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.benchmark import IndexMeasurement
from likewise.storage import seals
from likewise.storage.workspace import Workspace

FACTS = "facts.json"
CONTENTS = "contents.parquet"
FILE = "index"
"""Names of the files of a stored index."""


class IndexMetadata(Part):
    """Metadata of a cached index, stored in ``facts.json``.

    Attributes:
        made_of: hash of the index's kind and options, and of the model of the vectors.
        rows: number of vectors.
        dim: number of dimensions.
        measured: recall and speed as ``likewise index`` measured them; None if it did not.
        seal: proof that this checkout wrote the metadata and the files of the index.
    """

    made_of: str
    rows: int
    dim: int
    measured: IndexMeasurement | None = None
    seal: str = ""


def purpose_of(dataset: str, model: str, index: str) -> str:
    """Return the purpose for which ``facts.json`` is sealed."""
    return f"indexes/{dataset}/{model}/{index}"


def read_facts(ws: Workspace, folder: Path, purpose: str) -> IndexMetadata | None:
    """Return the metadata of the index in ``folder``; None without a valid seal."""
    try:
        metadata = IndexMetadata.model_validate_json((folder / FACTS).read_bytes())
    except (OSError, ValidationError):
        return None
    sealed = _sealed_bytes(folder, metadata)
    return metadata if seals.is_sealed(ws, purpose, sealed, metadata.seal) else None


def facts_text(ws: Workspace, folder: Path, purpose: str, metadata: IndexMetadata) -> str:
    """Return the text of ``facts.json`` with a seal of the metadata and files in ``folder``."""
    mac = seals.seal(ws, purpose, _sealed_bytes(folder, metadata))
    document = metadata.model_copy(update={"seal": mac}).model_dump(mode="json")
    return json.dumps(document, indent=2) + "\n"


def renamed_facts(ws: Workspace, old: str, new: str) -> Iterator[tuple[Path, str]]:
    """Yield path and text of ``facts.json`` of the indexes of ``old``, sealed for ``new``."""
    for file in sorted((ws.indexes / old).glob(f"*/*/{FACTS}")):
        model, index = file.parts[-3:-1]
        metadata = read_facts(ws, file.parent, purpose_of(old, model, index))
        if metadata:
            text = facts_text(ws, file.parent, purpose_of(new, model, index), metadata)
            yield ws.index(new, model, index) / FACTS, text


def _sealed_bytes(folder: Path, metadata: IndexMetadata) -> bytes:
    """Return what the seal covers: the metadata and the SHA-256 of the files in ``folder``."""
    files = [index_file.sha256(folder / name) for name in (FILE, CONTENTS)]
    facts = metadata.model_dump(mode="json", exclude={"seal"})
    return json.dumps([facts, *files], sort_keys=True).encode()
