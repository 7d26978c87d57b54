"""List the items in the order that score, evaluate and import-vectors expect vectors in."""

from pathlib import Path

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, tables, versions


def score_order(
    dataset: str | None = None,
    *,
    images: StrPath | None = None,
    items: StrPath | None = None,
    workspace: StrPath | None = None,
) -> list[str]:
    """Return the ids of items in the order in which vectors without ids must be.

    Row i of an array for ``score`` or ``import_vectors`` belongs to the i-th of these items. An
    image's id is its path in the folder or archive; a box has the path of its image, and more.

    Give one of these:

    Args:
        dataset: an ingested data set of the catalogue.
        images: folder or archive of GPR1200's images, as for ``score``.
        items: file of a table of items, as for ``score``.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: none or several are given, or the file cannot be read.
        UnknownNameError: no such data set.
        MissingArtefactError: the data set was not ingested.

    Example:
        >>> likewise.score_order("emoji")[:2]
        ['0_fluent.jpg', '0_noto.jpg']
        >>> likewise.score_order("emoji") == likewise.open("emoji").items["item_id"].to_list()
        True
    """
    if sum(given is not None for given in (dataset, images, items)) != 1:
        raise DataError("give one of: a data set, images, items")
    if dataset is not None:
        ws = open_workspace(workspace)
        ws.dataset(dataset)
        command = artefacts.table(ws, dataset, "items").command
        table = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
        return table.read(["item_id"])["item_id"].to_list()
    from likewise.sources.item_table import gpr1200_items, read_items

    rows = (
        read_items(Path(items)) if items is not None else gpr1200_items(Path(images or ""))[0]
    )
    return rows["item_id"].to_list()
