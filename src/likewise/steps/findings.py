"""List the findings of ingest and of imports of vectors for a data set."""

from collections.abc import Iterator

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.finding_counts import SHOWN, Findings, count_findings
from likewise.errors import DamagedError
from likewise.formats.json_documents import read_json
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

_COLUMNS = {"check": pl.String, "path": pl.String, "detail": pl.String}


def findings(
    dataset: str,
    *,
    check: str | None = None,
    limit: int = SHOWN,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Findings:
    """Count the findings of ingest and of imports of vectors, and list the first ``limit``.

    Args:
        dataset: name of the data set.
        check: list only findings of this check; the counts include all checks.
        limit: maximum number of findings to list.
        rev: a git revision: read the findings of that revision.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: the data set was not ingested.
        UnknownNameError: no such data set, or it has no finding of that check.

    Example:
        >>> open("emoji/images/0_empty.jpg", "w").close()
        >>> ingested = likewise.ingest("emoji")
        >>> likewise.findings("emoji").first
        [Finding(check='empty', path='0_empty.jpg', detail='the file has 0 bytes')]
    """
    ws = open_workspace(workspace, rev=rev)
    ws.dataset(dataset)
    command = artefacts.table(ws, dataset, "findings").command
    findings_table = tables.open_table(
        versions.locate(ws, ws.table(dataset, "findings")), command
    )
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    rows = findings_table.read(["check", "path", "detail"])
    rows = pl.concat([rows, *_of_imports(ws, dataset)])
    return count_findings(dataset, items.rows, rows, check, limit)


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
