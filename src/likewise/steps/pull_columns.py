"""Bring some columns of a published table from a DVC remote."""

from collections.abc import Sequence

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.pulled_outputs import Pulled, link_outputs
from likewise.formats.paths import StrPath
from likewise.storage import tables, versions
from likewise.storage.versions import Store


def pull_columns(
    dataset: str,
    columns: Sequence[str],
    *,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Bring ``columns`` of the published table of ``dataset``, as far as its files allow.

    All columns but vectors lie in one file and come together; every model's vectors have files
    of their own. A table that an older release published has one file, and comes whole.
    ``likewise.open``, ``query`` and ``search`` read what is here; vectors that are not are
    fetched when they are asked for.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: its published table has no such column.
        VersionError: there is no remote, it cannot be read, or lacks something.
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
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
    """Whether a file of a table says what the table is, and holds neither rows nor indices."""
    return not file.startswith(("data/", "_indices/"))
