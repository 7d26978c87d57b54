"""Drift of a model's vectors between two versions of a data set."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.formats.unit_vectors import unit_vectors
from likewise.models.passport import Passport
from likewise.storage import tables

NEIGHBOURS = 10
QUERIES = 1_000
"""Maximum number of items whose neighbours are compared, evenly spaced."""
GALLERY = 20_000
"""Maximum number of items among which neighbours are searched, evenly spaced."""


@dataclass(frozen=True)
class Drift:
    """Distance between the vectors of one model in two versions.

    Attributes:
        model: name of the model.
        items: number of items in both versions.
        cosine: mean and minimum cosine of an item's two vectors; None if their dimensions
            differ.
        overlap: mean share (0 to 1) of an item's ten nearest neighbours that are the same in
            both versions.
    """

    model: str
    items: int
    cosine: tuple[float, float] | None
    overlap: float


def drift(before: Dataset, after: Dataset, model: str) -> Drift | None:
    """Measure how far the vectors of ``model`` moved.

    Returns:
        None if the same model made both, without reading them (the same model gives the same
        vector for the same pixels), or if the versions have no common item.
    """
    old, new = before.table, after.table
    made = {Passport.from_json(t.passport(model), model).identity() for t in (old, new)}
    if len(made) == 1 and old.schema.field(model).type == new.schema.field(model).type:
        return None
    for side in (before, after):
        side.need_model(model)
    ids = [side.table.read(["item_id"]).with_row_index("row") for side in (before, after)]
    rows = ids[0].join(ids[1], on="item_id", maintain_order="right").select("row", "row_right")
    if rows.is_empty():
        return None
    cosine = None
    if old.dim(model) == new.dim(model):
        cosine = _cosines(before, after, model, rows)
    return Drift(model, len(rows), cosine, _overlap(before, after, model, rows))


def _cosines(
    before: Dataset, after: Dataset, model: str, rows: pl.DataFrame
) -> tuple[float, float]:
    """Return mean and minimum cosine; ``rows`` are pairs of rows of the two tables."""
    parts = []
    for start in range(0, len(rows), tables.BATCH):
        part = rows.slice(start, tables.BATCH)
        old, new = (
            _vectors(before, model, part["row"]),
            _vectors(after, model, part["row_right"]),
        )
        parts.append(np.einsum("ij,ij->i", old, new))
    cosines = np.concatenate(parts)
    return float(cosines.mean()), float(cosines.min())


def _overlap(before: Dataset, after: Dataset, model: str, rows: pl.DataFrame) -> float:
    gallery = rows.gather_every(-(-len(rows) // GALLERY))
    step = -(-len(gallery) // QUERIES)
    near = [
        _nearest(_vectors(side, model, gallery[column]), step)
        for side, column in ((before, "row"), (after, "row_right"))
    ]
    shared = [len(np.intersect1d(*pair)) / len(pair[0]) for pair in zip(*near, strict=True)]
    return float(np.mean(shared)) if near[0].size else 1.0


def _nearest(vectors: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.intp]:
    """Return the rows nearest to every ``step``-th row: (queries, neighbours), without it."""
    queries = np.arange(0, len(vectors), step)
    scores = vectors[queries] @ vectors.T
    scores[np.arange(len(queries)), queries] = -np.inf
    count = min(NEIGHBOURS, len(vectors) - 1)
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def _vectors(side: Dataset, model: str, rows: pl.Series) -> npt.NDArray[np.float32]:
    """Return the vectors of some rows, float32, normalised: (rows, dimensions)."""
    return unit_vectors(side.table.vectors(model, rows.to_list()))
