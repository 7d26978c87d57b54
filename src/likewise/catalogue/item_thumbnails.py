"""Pictures of items that are on this machine: a part of ``Dataset``, which fetches nothing."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol

from likewise.catalogue import takedowns
from likewise.catalogue.item_images import ItemImages
from likewise.catalogue.thumbnail_cache import Thumbnail, ThumbnailCache
from likewise.errors import LikewiseError, MissingArtefactError
from likewise.imaging.thumbnail import SIDE
from likewise.storage import artefacts, tables, versions
from likewise.storage.schema import THUMBS
from likewise.storage.workspace import Workspace


class _Opened(Protocol):
    """The members of an open data set that this part uses."""

    name: str
    _ws: Workspace

    @property
    def table(self) -> tables.Table: ...

    @property
    def _thumbs(self) -> tuple[tables.Table, tables.RowIndex]: ...

    def _path(self, table: Path) -> Path: ...

    @property
    def _pictures(self) -> ItemImages: ...

    def present_images(self, positions: Sequence[int]) -> list[bytes | None]: ...

    def stored_thumbnails(self, contents: Sequence[str]) -> dict[str, bytes]: ...

    def taken_down(self) -> set[str]: ...


class ItemThumbnails:
    """The thumbnails and the present images of the items of an open data set."""

    def thumbnails(
        self: _Opened, positions: Sequence[int], side: int = SIDE
    ) -> list[Thumbnail]:
        """Return small pictures of the items at ``positions``.

        They are made once and kept in ``.likewise``. Pixels that were not pulled are not
        fetched: their thumbnails are those of the stage ``thumbs``, or have the fault
        ``missing``.

        Args:
            positions: positions of items in the data set.
            side: maximum edge length in pixels.
        """
        return ThumbnailCache.of(self._ws).thumbnails(self, positions, side)

    def present_images(self: _Opened, positions: Sequence[int]) -> list[bytes | None]:
        """Return the encoded images of items; None where the pixels are not on this machine.

        Args:
            positions: positions of items in the data set.
        """
        names = self.table.take(positions, ["image_id"]).column(0).to_pylist()
        try:
            return self._pictures.present(names)
        except MissingArtefactError:  # the table of images was not pulled either
            return [None] * len(names)

    def taken_down(self: _Opened) -> set[str]:
        """Return the SHA-256 of the images that are on record as taken down now.

        The data set may be an earlier version, which still has them.
        """
        checkout = Workspace(self._ws.home)
        return takedowns.read(checkout.forgotten(self._ws.params.base(self.name))).hashes

    def stored_thumbnails(self: _Opened, contents: Sequence[str]) -> dict[str, bytes]:
        """Return small pictures by content from the table of the stage ``thumbs``.

        Args:
            contents: contents of items; those without a picture in the table are left out.
        """
        with suppress(LikewiseError):  # not made, not pulled, or replaced meanwhile
            table, index = self._thumbs
            rows = index.positions(contents).tolist()
            known = {
                row: content
                for row, content in zip(rows, contents, strict=True)
                if row != tables.NO_ROW
            }
            pictures = table.take(list(known), ["picture"]).column(0).to_pylist()
            return dict(zip(known.values(), pictures, strict=True))
        return {}

    @cached_property
    def _thumbs(self: _Opened) -> tuple[tables.Table, tables.RowIndex]:
        """The table of small pictures and the index of its contents.

        Raises:
            MissingArtefactError: it was not made or not pulled yet; the next read looks again.
        """
        made = artefacts.table(self._ws, self.name, THUMBS.name)
        if not tables.exists(versions.locate(self._ws, made.path)):
            raise MissingArtefactError(f"{self.name} has no small pictures", made.command)
        table = tables.open_table(self._path(made.path), made.command)
        return table, tables.RowIndex(table, "content")
