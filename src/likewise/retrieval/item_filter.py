"""Select the items that may be hits, by their role and by an SQL condition."""

import numpy as np

from likewise.formats.array_types import BoolArray
from likewise.retrieval.filters import matching_rows
from likewise.retrieval.published_dataset import PublishedDataset
from likewise.retrieval.selection_filter import with_selection

_MASKS = 8
"""Number of masks that are cached, because the pages of one search share a condition."""


class ItemFilter:
    """Filter of the items of an open data set, which never changes."""

    def __init__(self, dataset: PublishedDataset) -> None:
        """Filter the items of ``dataset``; nothing is read yet."""
        self._dataset = dataset
        self._masks: dict[tuple[str, str | None], BoolArray | None] = {}

    def allowed(
        self, role: str, where: str | None, selection: str | None = None
    ) -> BoolArray | None:
        """Return a mask (n,) of the items that may be hits; None for all items.

        The same mask is returned for the same filter, and it is read-only, so an index may keep
        what it read for a mask.

        Args:
            role: ``gallery``, ``query`` or ``any``; an item without a role has every role.
            where: an SQL condition; None for none.
            selection: name of a selection; None for all items.

        Raises:
            DataError: ``where`` is not a condition, or names an unknown column.
            UnknownNameError: there is no such selection.
        """
        where = with_selection(where, selection, self._dataset.table)
        if (role, where) not in self._masks:
            if len(self._masks) == _MASKS:
                self._masks.pop(next(iter(self._masks)))
            mask = self._role_mask(role)
            if where is not None:
                matching = matching_rows(self._dataset.table, where)
                mask = matching if mask is None else matching & mask
            if mask is not None:
                mask.flags.writeable = False
            self._masks[role, where] = mask
        return self._masks[role, where]

    def _role_mask(self, role: str) -> BoolArray | None:
        """Return a mask (n,) of the items of a role or without one; None for all items."""
        other = {"gallery": "query", "query": "gallery"}.get(role)
        if other is None:
            return None
        roles = self._dataset.table.read(["role"])["role"]
        if not (roles == other).any():
            return None
        mask: BoolArray = np.array(roles.ne_missing(other).to_numpy())
        return mask
