"""The findings of a data set: those of ingest, and those of imports of vectors."""

from collections.abc import Iterator

import polars as pl

from likewise.errors import DamagedError
from likewise.formats.json_documents import read_json
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

_COLUMNS = {"check": pl.String, "path": pl.String, "detail": pl.String}


def read_findings(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return check, path and detail of all findings of a data set.

    Raises:
        MissingArtefactError: the data set was not ingested.
        DamagedError: the findings of an import cannot be read.
    """
    made = artefacts.table(ws, dataset, "findings")
    table = tables.open_table(versions.locate(ws, made.path), made.command)
    return pl.concat([table.read(list(_COLUMNS)), *_of_imports(ws, dataset)])


def _of_imports(ws: Workspace, dataset: str) -> Iterator[pl.DataFrame]:
    """Yield the findings of the imports of vectors: check, path, detail."""
    for entry in ws.params.imported.values():
        path = ws.vector_findings(dataset, entry.model)
        if entry.dataset == dataset and path.is_file():
            rows = read_json(path)
            if not isinstance(rows, list) or not all(map(_is_finding, rows)):
                command = artefacts.embeddings(ws, dataset, entry.model).stage.forced
                raise DamagedError(f"{ws.relative(path)}: has no findings; run: {command}")
            texts = [(name, of, f"{entry.model}: {detail}") for name, of, detail in rows]
            yield pl.DataFrame(texts, _COLUMNS, orient="row")


def _is_finding(row: object) -> bool:
    """Return True for a list of three texts."""
    return isinstance(row, list) and len(row) == 3 and all(isinstance(c, str) for c in row)
