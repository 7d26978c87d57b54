"""The places of the items of a data set on a map."""

from collections.abc import Sequence

import polars as pl

from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
"""Method of a map -> its name in texts."""


def item_places(
    ws: Workspace, name: str, published: tables.Table, columns: Sequence[str] = ()
) -> pl.DataFrame:
    """Return the items that have a place on a map, in the order of the data set.

    Args:
        ws: the workspace.
        name: name of the map.
        published: the published table of its data set, or of a view of it.
        columns: further columns of the items.

    Returns:
        position (of the item in the data set), item_id, x, y, fitted, and ``columns``.

    Raises:
        MissingArtefactError: the map was not made.
    """
    made = artefacts.map_table(ws, name)
    table = tables.open_table(versions.locate(ws, made.path), made.command)
    places = table.read(["content", "x", "y", "fitted"])
    further = [column for column in columns if column not in ("item_id", "content")]
    items = published.read(["item_id", "content", *further]).with_row_index("position")
    model = ws.map(name).model
    has_vectors = model in published.vector_columns  # else the map is older than the table
    keys = tables.vector_keys(published, items, model) if has_vectors else items["content"]
    joined = items.with_columns(content=keys).join(
        places, on="content", how="inner", maintain_order="left"
    )
    return joined.select("position", "item_id", "x", "y", "fitted", *further)


def map_of(ws: Workspace, dataset: str, model: str) -> str | None:
    """Return the first map of a data set (or of that of a view) by a model that was made."""
    for name, entry in ws.params.maps.items():
        if (entry.dataset, entry.model) == (ws.params.base(dataset), model):
            path = versions.locate(ws, artefacts.map_table(ws, name).path)
            if tables.exists(path):
                return name
    return None
