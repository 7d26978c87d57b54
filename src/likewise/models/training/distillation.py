"""The objective of distillation: a student learns the vectors of a teacher."""

from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch.nn import functional

from likewise.errors import DataError, StaleArtefactError
from likewise.formats.counted_nouns import counted
from likewise.models.training.augment import Augmenter
from likewise.models.training.descriptor import Descriptor
from likewise.models.training.mixed_precision import full_precision
from likewise.models.training.objective import ItemTensor, Objective, gather_all
from likewise.models.training.training_data import PART, TrainingData
from likewise.storage import tables


class DistillationObjective(Objective):
    """1 - cosine to the teacher's vector, plus a relational term.

    The relational term is the mean squared difference between the cosines within a batch of
    the student and of the teacher.
    """

    def __init__(
        self,
        model: Descriptor,
        augmenter: Augmenter,
        teacher: torch.Tensor,
        relational_weight: float,
    ) -> None:
        """Combine a student with the vectors of its teacher.

        Args:
            model: the student.
            augmenter: augments the images.
            teacher: (items, dim), the teacher's vectors, L2-normalised.
            relational_weight: weight of the relational term.
        """
        super().__init__()
        self.model: Descriptor = model
        self._augmenter, self._relational_weight = augmenter, relational_weight
        self._teacher = ItemTensor(teacher)

    def targets(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the teacher's vectors of the items."""
        return self._teacher.select(rows[:, 0])

    def forward(
        self, pixels: torch.Tensor, targets: torch.Tensor, random: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch."""
        vectors = self.model(self._augmenter.augmented(pixels, random[0]))
        with full_precision(vectors.device):
            student = functional.normalize(gather_all(vectors).float(), dim=1)
            teacher = gather_all(targets.float())
            loss = 1 - (student * teacher).sum(dim=1).mean()
            if self._relational_weight:
                difference = student @ student.T - teacher @ teacher.T
                loss = loss + self._relational_weight * difference.square().mean()
        return loss


def teacher_vectors(data: TrainingData) -> torch.Tensor:
    """Return the teacher's vectors of all items; see ``stored_vectors``."""
    return stored_vectors(data, "the teacher")


def stored_vectors(data: TrainingData, owner: str) -> torch.Tensor:
    """Return the stored vectors of all items, in their order: (items, dim), as stored.

    Args:
        data: the items.
        owner: the model that computed the vectors, for messages.

    Raises:
        DataError: the data have no vectors.
        StaleArtefactError: some items have no vector.
    """
    parts = data.by_dataset()
    if len(parts) > 1:
        vectors = [stored_vectors(part, owner) for part in parts]
        dims = {one.shape[1] for one in vectors}
        if len(dims) > 1:
            raise DataError(
                f"the vectors of {data.name} by {owner} differ in length: "
                f"{', '.join(map(str, sorted(dims)))} numbers"
            )
        out = torch.empty(len(data), dims.pop())
        for number, one in enumerate(vectors):
            out[data.items[PART].to_numpy() == number] = one.float()
        return out
    if not isinstance(data.vectors, Path):
        raise DataError("teacher is missing; set it to a model that embeds the data set")
    table = tables.open_table(data.vectors, "dvc repro")
    rows = table.read(["content"]).with_row_index("row_of_vector")
    keys = tables.vector_keys(table, data.items).to_frame("content")
    row = keys.join(rows, on="content", how="left", maintain_order="left")["row_of_vector"]
    if row.null_count():
        what = f"{owner} has no vector of {counted(row.null_count(), 'item')} of {data.name}"
        raise StaleArtefactError(what, "dvc repro")
    stored = table.vectors("vector")
    return torch.from_numpy(np.ascontiguousarray(stored[row.cast(pl.Int64).to_numpy()]))
