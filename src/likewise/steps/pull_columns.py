"""Pull some columns of a published table from a DVC remote."""

from collections.abc import Sequence

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.pulled_outputs import Pulled, link_outputs
from likewise.formats.paths import StrPath
from likewise.storage import tables, versions
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace


def pull_columns(
    dataset: str,
    columns: Sequence[str],
    *,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Pull ``columns`` of the published table of ``dataset``, with columns of the same files.

    All columns except vectors share files and are pulled together. The vectors of each model
    have their own files. Tables published by older releases are one file and are pulled
    completely.
    ``likewise.open``, ``query`` and ``search`` read the columns that are present; missing
    vectors are fetched on first use.

    Args:
        dataset: name of the data set.
        columns: names of columns, or of models for their vectors.
        remote: name of a DVC remote; by default the default remote.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The number and bytes of fetched files, and the columns that are now present.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: the published table has no such column.
        VersionError: there is no remote, it cannot be read, or it lacks a file.

    Example:
        >>> pulled = likewise.pull_columns("emoji", ["label", "tiny"])
        >>> "tiny" in pulled.columns, pulled.partial
        (True, [])
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    with no_takedown(ws, dataset, f"pull-{dataset}"):
        return _pull(ws, dataset, columns, remote)


def _pull(ws: Workspace, dataset: str, columns: Sequence[str], remote: str | None) -> Pulled:
    """Fetch the files of the columns, and link the table once it is complete."""
    output = ws.published(dataset)
    path, head = versions.pull_files(ws, output, _is_head, remote)
    table = tables.open_table(path, f"likewise pull {dataset}")
    for column in columns:
        table.need_column(column)
    files = tuple(table.files({*table.metadata_columns, *columns}))
    path, moved = versions.pull_files(ws, output, lambda file: file.startswith(files), remote)
    lacking = tables.open_table(path).missing_vectors()
    if not Store(ws.root).lacking(versions.recorded_files(ws, output).values()):
        link_outputs(ws, [ws.relative(output)])
    return Pulled(
        head.files + moved.files,
        head.nbytes + moved.nbytes,
        [ws.relative(output)] if lacking else [],
        columns=[name for name in table.schema.names if name not in lacking],
    )


def _is_head(file: str) -> bool:
    """Return True for a file of a table that holds its schema, not rows or indices."""
    return not file.startswith(("data/", "_indices/"))
