"""Pull the pixels of some items from a DVC remote."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.pulled_outputs import Pulled, link_outputs
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.retrieval.filters import matching_rows
from likewise.steps.open import open as open_catalogue
from likewise.steps.pull import pull
from likewise.storage import tables, versions
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace


def pull_images(
    dataset: str,
    *,
    where: str | None = None,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Pull the pixels of the items that match the SQL condition ``where``.

    Pixels are stored in packs of several images; each pack with a matching item is pulled.

    Args:
        dataset: name of the data set.
        where: SQL condition; by default all items.
        remote: name of a DVC remote; by default the default remote.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        VersionError: there is no remote, it cannot be read, or it lacks a file.
        DataError: the SQL is invalid, or no item matches.

    Example:
        >>> pulled = likewise.pull_images("emoji", where="label = '200'")
        >>> pulled.files, pulled.partial
        (0, [])
    """
    if where is None:
        return pull([dataset], remote=remote, workspace=workspace)
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    with no_takedown(ws, dataset, f"pull-{dataset}"):
        return _pull(ws, dataset, where, remote)


def _pull(ws: Workspace, dataset: str, where: str, remote: str | None) -> Pulled:
    """Fetch the packs with a matching item, and link the table once it is complete."""
    opened = open_catalogue(dataset, workspace=ws.root)
    chosen = opened.table.read(["image_id"]).filter(matching_rows(opened.table, where))
    if chosen.is_empty():
        raise DataError(f"no item of {dataset} matches: {where}")
    output = ws.table(dataset, "images")
    path = versions.locate(ws, output)
    table = tables.open_table(path, f"likewise pull {dataset} --no-images")
    rows = table.read(["image_id"]).with_row_index("row")
    numbers = rows.join(chosen.unique(), on="image_id")["row"].to_list()
    packs = table.pack_files("image", numbers)
    moved = versions.fetch_into_view(ws, output, packs, remote)
    files = versions.recorded_files(ws, output)
    lacking = Store(ws.root).lacking(files.values())
    if not lacking:
        link_outputs(ws, [ws.relative(output)])
    return Pulled(moved.files, moved.nbytes, [ws.relative(output)] if lacking else [])
