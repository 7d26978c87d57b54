"""List what ingest found wrong with a data set."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.finding_counts import SHOWN, Findings, listed
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions


def findings(
    dataset: str,
    *,
    check: str | None = None,
    limit: int = SHOWN,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Findings:
    """What ingest found wrong with ``dataset``, and the first ``limit`` findings.

    Args:
        dataset: its name.
        check: only findings of this check; the counts are of all.
        limit: so many findings at most.
        rev: a git revision, to see what was found then.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: it was not ingested yet.
        UnknownNameError: no such data set, or none of its findings is of that check.
    """
    ws = open_workspace(workspace, rev=rev)
    ws.dataset(dataset)
    command = artefacts.table(ws, dataset, "findings").command
    found = tables.open_table(versions.locate(ws, ws.table(dataset, "findings")), command)
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    rows = found.read(["check", "path", "detail"])
    return listed(dataset, items.rows, rows, check, limit)
