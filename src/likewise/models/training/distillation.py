"""A student that learns the vectors of a teacher."""

import numpy as np
import polars as pl
import torch
from torch.nn import functional

from likewise.errors import DataError, StaleArtefactError
from likewise.models.training.augment import Views
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.mixed_precision import exact
from likewise.models.training.objective import Held, Task, together
from likewise.models.training.training_data import Material
from likewise.storage import tables


class DistillTask(Task):
    """1 - cosine to the teacher's vector, and how the cosines of a batch differ from its."""

    def __init__(
        self, model: Descriptor, views: Views, wanted: torch.Tensor, relations: float
    ) -> None:
        """Take the model, how pictures are seen, and every item's vector (items, dim)."""
        super().__init__()
        self.model: Descriptor = model
        self._see, self._relations = views, relations
        self._wanted = Held(wanted)

    def known(self, rows: torch.Tensor) -> torch.Tensor:
        """The teacher's vectors of the items."""
        return self._wanted.of(rows[:, 0])

    def forward(
        self, pixels: torch.Tensor, known: torch.Tensor, draws: torch.Tensor
    ) -> torch.Tensor:
        """The loss of a batch."""
        found = self.model(self._see.changed(pixels, draws[0]))
        with exact(found.device):
            units = functional.normalize(together(found).float(), dim=1)
            wanted = together(known.float())
            loss = 1 - (units * wanted).sum(dim=1).mean()
            if self._relations:
                apart = units @ units.T - wanted @ wanted.T
                loss = loss + self._relations * apart.square().mean()
        return loss


def teacher_vectors(material: Material) -> torch.Tensor:
    """The teacher's vectors of all items, in their order: (items, dim), as they are stored.

    Raises:
        DataError: no teacher was given.
        StaleArtefactError: some items have no vector.
    """
    if material.vectors is None:
        raise DataError("no teacher is named; set teacher to a model that embeds the data set")
    table = tables.open_table(material.vectors, "dvc repro")
    place = tables.read(table, ["content"]).with_row_index("at")
    at = material.items.select("content").join(
        place, on="content", how="left", maintain_order="left"
    )["at"]
    if at.null_count():
        what = f"the teacher has no vector of {at.null_count():,} items of {material.name}"
        raise StaleArtefactError(what, "dvc repro")
    stored = tables.read_vectors(table, "vector")
    return torch.from_numpy(np.ascontiguousarray(stored[at.cast(pl.Int64).to_numpy()]))
