"""Vectors of a published table that a pull left out."""

from pathlib import Path

from likewise.storage import tables, versions
from likewise.storage.workspace import Workspace


def fetch_vectors(ws: Workspace, output: Path, table: tables.Table, model: str) -> None:
    """Fetch the vectors of ``model`` that ``table``, a version of ``output``, lacks."""
    files = table.files([model])
    lacking = tuple(file for file in files if not (table.path / file).exists())
    if lacking:
        known = versions.recorded_files(ws, output)
        versions.fetch_into_view(ws, output, [f for f in known if f.startswith(lacking)])
