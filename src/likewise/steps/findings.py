"""List the findings of ingest for a data set."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.finding_counts import SHOWN, Findings, count_findings
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
    """Count the findings of ingest for ``dataset``, and list the first ``limit``.

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
    return count_findings(dataset, items.rows, rows, check, limit)
