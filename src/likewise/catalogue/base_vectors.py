"""Stored vectors of the initial model of an adapter, from which its vectors are computed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport
from likewise.storage import tables, versions
from likewise.storage.config.names import NAME
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from likewise.models.training.adapter_layers import Adapter

ROWS = 16_384
"""Stored vectors that are adapted at once."""

NOT_RECORDED = "not recorded"
"""The numerics of vectors of older versions, which depended on the number of threads."""


@dataclass(frozen=True)
class BaseVectors:
    """The stored vectors of some contents by the initial model.

    Attributes:
        table: the table of the vectors.
        rows: the columns content and base_row, its row in the table.
        numerics: the arithmetics of the adapted vectors. They are those of the stored ones:
            the layers give the same bits for a vector that is stored in float32 and for one
            that was just computed.
    """

    table: tables.Table
    rows: pl.DataFrame
    numerics: tuple[str, ...]

    def adapted(
        self, stored: pl.DataFrame, layers: "Adapter"
    ) -> Iterator[tuple[list[str], Float32Array]]:
        """Yield contents with their adapted vectors: (n, dim), float32, L2-normalised.

        Args:
            stored: contents, with the column base_row of ``rows``.
            layers: the layers of the adapter.
        """
        from likewise.models.training.adapter_layers import adapted

        for part in stored.iter_slices(ROWS):
            vectors = self.table.vectors("vector", part["base_row"].to_list())
            yield part["content"].to_list(), adapted(layers, vectors)


def base_vectors(ws: Workspace, dataset: str, model: Path, roles: str) -> BaseVectors | None:
    """Return the stored vectors of the initial model of an adapter.

    Args:
        ws: the workspace.
        dataset: the data set.
        model: the folder of a model of any kind.
        roles: the digest of the roles of the contents; "" if the model embeds both alike.

    Returns:
        None if the model is not an adapter, or if no vectors of the same initial model are
        stored.
    """
    passport = Passport.read(model)
    if passport.recipe.get("kind") != "adapter":
        return None
    from likewise.models.training.adapter_encoder import BASE

    init = str(passport.recipe.get("init"))
    path = versions.locate(ws, ws.embeddings(dataset, init))
    if not NAME.fullmatch(init) or not tables.exists(path):
        return None
    table = tables.open_table(path)
    metadata = table.metadata("vector")
    base = Passport.read(model / BASE)
    made = Passport.from_json(metadata["passport"], path.name)
    if made.identity() != base.identity() or metadata.get("roles", "") != roles:
        return None
    rows = table.read(["content"]).with_row_index("base_row")
    recorded = json.loads(metadata["numerics"]) if "numerics" in metadata else [NOT_RECORDED]
    half = table.dtype("vector").name == "float16"
    numerics = tuple(f"{one}, stored as float16" if half else one for one in recorded)
    return BaseVectors(table, rows, numerics)
