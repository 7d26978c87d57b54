"""The images of the items of an open data set."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from likewise.errors import DataError, MissingArtefactError, bounded, hint
from likewise.imaging.image_reader import ImageReader
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace


class ItemImages:
    """Finds the images of items in the images table, and fetches their pixels if needed."""

    def __init__(self, ws: Workspace, name: str, items: pl.DataFrame, path: Path) -> None:
        """Read nothing yet.

        Args:
            ws: the workspace.
            name: name of the data set.
            items: columns item_id, image_id and box.
            path: folder of the images table.
        """
        self._ws, self._name, self._items, self._path = ws, name, items, path

    @cached_property
    def _row_of_image(self) -> dict[str, int]:
        command = artefacts.table(self._ws, self._name, "images").command
        images = tables.open_table(self._path, command)
        names = images.read(["image_id"])["image_id"]
        return {name: row for row, name in enumerate(names)}

    def reader(self, ids: Sequence[str]) -> ImageReader:
        """Return a picklable reader of the images, or boxes, of the items or images ``ids``.

        Raises:
            DataError: the data set does not have one of the ids.
            MissingArtefactError: the images are of another version.
        """
        locations = {i: (image, box) for i, image, box in self._locations.iter_rows()}
        regions = [locations.get(i, (i, None)) for i in ids]
        absent = [image for image, _ in regions if image not in self._row_of_image]
        if absent and locations.keys() >= set(ids):
            what = f"the images of {self._name} belong to another version, which lacks "
            raise MissingArtefactError(what + bounded(absent, len(absent)), "dvc checkout")
        if absent:
            what = f"{self._name} has no item {bounded(absent, len(absent))}"
            raise DataError(f"{what}; {hint(absent[0], locations)}")
        rows = [self._row_of_image[image] for image, _ in regions]
        self._need_pixels(rows)
        return ImageReader(self._path, rows, [box for _, box in regions])

    def present(self, images: Sequence[str]) -> list[bytes | None]:
        """Return encoded images by their ids; None where the pixels are not on this machine."""
        table = tables.open_table(self._path)
        rows = [self._row_of_image[image] for image in images]
        packs = {row: table.pack_files("image", [row]) for row in set(rows)}
        here = {pack for pack in set().union(*packs.values()) if (self._path / pack).exists()}
        present = [row for row in packs if here.issuperset(packs[row])]
        data = dict(zip(present, table.blobs("image", present), strict=True))
        return [data.get(row) for row in rows]

    def _need_pixels(self, rows: Sequence[int]) -> None:
        """Fetch the missing pixel files of the images ``rows``."""
        path = self._path
        command = artefacts.table(self._ws, self._name, "images").command
        images = tables.open_table(path, command)
        packs = images.pack_files("image", rows)
        absent = [pack for pack in packs if not (path / pack).exists()]
        if absent:
            versions.fetch_into_view(self._ws, self._ws.table(self._name, "images"), absent)

    @property
    def _locations(self) -> pl.DataFrame:
        return self._items.select("item_id", "image_id", "box")
