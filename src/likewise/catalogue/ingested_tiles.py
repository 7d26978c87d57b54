"""Pictures of items and images that were ingested, published or not."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from likewise.imaging.image_reader import ImageReader
from likewise.pages.gallery import Tile, thumbnails
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


def ingested_tiles(ws: Workspace, dataset: str, ids: Iterable[str]) -> dict[str, Tile]:
    """Return a tile for each id of an image or item, empty if the images are not pulled."""
    wanted = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String}).unique(
        maintain_order=True
    )
    path = versions.locate(ws, ws.table(dataset, "images"))
    if not tables.exists(path):
        return {name: Tile(f"{dataset}: {name}") for name in wanted["id"]}
    places = _places(ws, dataset, wanted, path)
    reader = ImageReader(path, places["row"].to_list())
    pictures = thumbnails(reader, places["box"].to_list())
    return {
        name: Tile(f"{dataset}: {name}", picture)
        for name, picture in zip(places["id"], pictures, strict=True)
    }


def _places(ws: Workspace, dataset: str, wanted: pl.DataFrame, images: Path) -> pl.DataFrame:
    """Return id, row of the images table and box (of an item) for every one of ``wanted``."""
    path = versions.locate(ws, ws.table(dataset, "items"))
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(path, command).read(["item_id", "image_id", "box"])
    rows = tables.open_table(images, command).read(["image_id"]).with_row_index("row")
    return (
        wanted.join(items, left_on="id", right_on="item_id", how="left", maintain_order="left")
        .with_columns(image_id=pl.coalesce("image_id", "id"))
        .join(rows, on="image_id", maintain_order="left")
    )
