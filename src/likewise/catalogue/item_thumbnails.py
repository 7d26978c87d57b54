"""Pictures of items that are on this machine: a part of ``Dataset``, which fetches nothing."""

from collections.abc import Sequence
from typing import Protocol

from likewise.catalogue.item_images import ItemImages
from likewise.catalogue.thumbnail_cache import Thumbnail, ThumbnailCache
from likewise.imaging.thumbnail import SIDE
from likewise.storage import tables
from likewise.storage.workspace import Workspace


class _Opened(Protocol):
    """The members of an open data set that this part uses."""

    _ws: Workspace

    @property
    def table(self) -> tables.Table: ...

    @property
    def _pictures(self) -> ItemImages: ...

    def present_images(self, positions: Sequence[int]) -> list[bytes | None]: ...


class ItemThumbnails:
    """The thumbnails and the present images of the items of an open data set."""

    def thumbnails(
        self: _Opened, positions: Sequence[int], side: int = SIDE
    ) -> list[Thumbnail]:
        """Return small pictures of the items at ``positions``.

        They are made once and kept in ``.likewise``. Pixels that were not pulled are not
        fetched; their thumbnails have the fault ``missing``.

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
        return self._pictures.present(names)
