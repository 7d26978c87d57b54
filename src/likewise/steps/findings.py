"""List the findings of ingest and of imports of vectors for a data set."""

from dataclasses import replace

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.doubts import FINDING, without_judged
from likewise.catalogue.finding_counts import SHOWN, Findings, count_findings
from likewise.catalogue.source_findings import read_findings
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions


def findings(
    dataset: str,
    *,
    check: str | None = None,
    limit: int = SHOWN,
    judged: bool = False,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Findings:
    """Count the findings of ingest and of imports of vectors, and list the first ``limit``.

    Args:
        dataset: name of the data set.
        check: list only findings of this check; the counts include all checks.
        limit: maximum number of findings to list.
        judged: also count and list findings that have a verdict; see ``review``.
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
    rows, number = read_findings(ws, dataset), 0
    if not judged:
        rows, number = without_judged(ws, dataset, rows, FINDING)
    made = artefacts.table(ws, dataset, "items")
    items = tables.open_table(versions.locate(ws, made.path), made.command)
    counted = count_findings(dataset, items.rows, rows, check, limit)
    return replace(counted, judged=number)
