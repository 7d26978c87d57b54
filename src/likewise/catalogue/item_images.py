"""The images of the items of an open data set."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from likewise.errors import DataError, MissingArtefactError, bounded, hint
from likewise.formats.array_types import Int32Array, Int64Array
from likewise.imaging.image_reader import ImageReader
from likewise.storage import artefacts, tables, versions
from likewise.storage.tables import NO_ROW, RowIndex, Table, read_at
from likewise.storage.workspace import Workspace

_PLACE = ["image_id", "box"]
"""The columns of an item that say where its pixels are."""


class ItemImages:
    """Finds the images of items in the images table, and fetches their pixels if needed."""

    def __init__(
        self, ws: Workspace, name: str, items: Table, ids: RowIndex, path: Path
    ) -> None:
        """Read nothing yet.

        Args:
            ws: the workspace.
            name: name of the data set.
            items: the published table.
            ids: index of its column item_id.
            path: folder of the images table.
        """
        self._ws, self._name, self._items, self._ids, self._path = ws, name, items, ids, path

    def reader(self, ids: Sequence[str]) -> ImageReader:
        """Return a reader of the images of the items or images ``ids``.

        Raises:
            DataError: the data set does not have one of the ids.
            MissingArtefactError: the images are of another version.
        """
        rows = self._ids.positions(ids)
        is_item = rows != NO_ROW
        places = self._places(rows[is_item])
        images = list(ids)
        boxes: list[list[float] | None] = [None] * len(ids)
        for number, (image, box) in zip(
            is_item.nonzero()[0].tolist(), places.iter_rows(), strict=True
        ):
            images[number], boxes[number] = image, box
        image_rows = self._image_rows.positions(images)
        absent = [images[n] for n in (image_rows == NO_ROW).nonzero()[0].tolist()]
        if absent and not is_item.all():
            what = f"{self._name} has no item {bounded(absent, len(absent))}"
            known = self._items.read(["item_id"])["item_id"]
            raise DataError(f"{what}; {hint(absent[0], known)}")
        return self._reader(image_rows, boxes, absent)

    def reader_at(self, positions: Int32Array) -> ImageReader:
        """Return a reader of the images of the items at ``positions``.

        Raises:
            MissingArtefactError: the images are of another version.
        """
        places = self._places(positions)
        image_rows = self._image_rows.positions(places["image_id"].to_list())
        absent = places["image_id"].filter(pl.Series(image_rows == NO_ROW))
        return self._reader(image_rows, places["box"].to_list(), absent.to_list())

    def _places(self, positions: Int32Array | Int64Array) -> pl.DataFrame:
        return read_at(self._items, positions.tolist(), _PLACE)

    def _reader(
        self, rows: Int64Array, boxes: list[list[float] | None], absent: list[str]
    ) -> ImageReader:
        if absent:
            what = f"the images of {self._name} belong to another version, which lacks "
            raise MissingArtefactError(what + bounded(absent, len(absent)), "dvc checkout")
        self._need_pixels(rows.tolist())
        return ImageReader(self._path, rows.tolist(), boxes)

    @cached_property
    def _images(self) -> Table:
        command = artefacts.table(self._ws, self._name, "images").command
        return tables.open_table(self._path, command)

    @cached_property
    def _image_rows(self) -> RowIndex:
        return RowIndex(self._images, "image_id")

    def present(self, images: Sequence[str]) -> list[bytes | None]:
        """Return encoded images by their ids; None where the pixels are not on this machine."""
        rows = self._image_rows.positions(images).tolist()
        known = [row for row in dict.fromkeys(rows) if row != tables.NO_ROW]
        return [*map(self._present_at(known).get, rows)]

    def _present_at(self, rows: list[int]) -> dict[int, bytes]:
        """Return the encoded images at some rows; those that are not here are left out."""
        try:
            return dict(zip(rows, self._images.blobs("image", rows), strict=True))
        except MissingArtefactError:
            if len(rows) == 1:
                return {}
            return {row: data for one in rows for row, data in self._present_at([one]).items()}

    def _need_pixels(self, rows: Sequence[int]) -> None:
        """Fetch the missing pixel files of the images ``rows``."""
        packs = self._images.pack_files("image", rows)
        absent = [pack for pack in packs if not (self._path / pack).exists()]
        if absent:
            output = self._ws.table(self._name, "images")
            versions.fetch_into_view(self._ws, output, absent)
