"""Maps of the items of an open data set: a part of ``Dataset``."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from likewise.catalogue.item_places import item_places
from likewise.errors import UnknownNameError
from likewise.formats.array_types import Float32Array, Int32Array
from likewise.retrieval.browsing.polygon import inside
from likewise.storage import artefacts, tables, versions
from likewise.storage.workspace import Workspace

_KEPT = 4
"""Number of maps whose places are kept, 8 bytes per item each."""


@dataclass(frozen=True)
class MapFacts:
    """A map of params.yaml.

    Attributes:
        name: its name.
        model: the model whose vectors it shows.
        method: ``pca``, ``tsne`` or ``umap``.
        made: True if its places were computed.
        command: the command that computes them.
    """

    name: str
    model: str
    method: str
    made: bool
    command: str


class _Opened(Protocol):
    """The members of an open data set that this part uses."""

    name: str
    _ws: Workspace

    @property
    def _map_places(self) -> dict[tuple[str, str], Float32Array]: ...

    @property
    def table(self) -> tables.Table: ...

    @property
    def maps(self) -> list[MapFacts]: ...

    def places(self, name: str) -> Float32Array: ...


class ItemMaps:
    """The maps of an open data set, and the places of its items."""

    @cached_property
    def _map_places(self) -> dict[tuple[str, str], Float32Array]:
        """The places on the maps that were read last, by name and version of the map."""
        return {}

    @property
    def maps(self: _Opened) -> list[MapFacts]:
        """The maps of the data set, or of that of a view, in the order of params.yaml."""
        base = self._ws.params.base(self.name)
        listed = []
        for name, entry in self._ws.params.maps.items():
            if entry.dataset == base:
                made = artefacts.map_table(self._ws, name)
                exists = tables.exists(versions.locate(self._ws, made.path))
                listed.append(MapFacts(name, entry.model, entry.method, exists, made.command))
        return listed

    def places(self: _Opened, name: str) -> Float32Array:
        """Return the places (items, 2) on a map, in the order of the data set.

        An item without a place, such as one outside the sample, has NaN.

        Args:
            name: a map of params.yaml.

        Raises:
            UnknownNameError: the data set has no such map.
            MissingArtefactError: the map was not made.

        Example:
            With ``maps: {plane: {dataset: emoji, model: tiny}}`` in params.yaml:

            >>> likewise.open("emoji").places("plane").shape  # doctest: +SKIP
            (23, 2)
        """
        known = [one.name for one in self.maps]
        if name not in known:
            raise UnknownNameError("map", name, known, f"the maps of {self.name}")
        made = artefacts.map_table(self._ws, name)
        path = versions.locate(self._ws, made.path)
        key = (name, tables.present_hash(path) or "")
        if key not in self._map_places:
            frame = item_places(self._ws, name, self.table)
            places = np.full((self.table.rows, 2), np.nan, np.float32)
            places[frame["position"].to_numpy()] = frame.select("x", "y").to_numpy()
            while len(self._map_places) >= _KEPT:
                del self._map_places[next(iter(self._map_places))]
            self._map_places[key] = places
        return self._map_places[key]

    def inside(self: _Opened, name: str, polygon: Sequence[Sequence[float]]) -> Int32Array:
        """Return the positions of the items in a region of a map, in ascending order.

        ``browse(positions=...)`` filters by them.

        Args:
            name: a map of params.yaml.
            polygon: 3 to 1,000 corners (x, y) in the coordinates of the map; edges may cross
                (even-odd rule).

        Raises:
            UnknownNameError: the data set has no such map.
            MissingArtefactError: the map was not made.
            DataError: it is not a polygon.
        """
        return np.flatnonzero(inside(self.places(name), polygon)).astype(np.int32)
