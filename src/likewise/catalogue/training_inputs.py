"""Read the training data of a model: items of data sets, and vectors of another model."""

import hashlib

import polars as pl

from likewise.catalogue.corrections import correct_items
from likewise.errors import MissingArtefactError
from likewise.models.recipes.base import LearnedRecipe
from likewise.models.training.mixed_data import mixed_data
from likewise.models.training.training_data import COLUMNS, TrainingData
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import Entry, read_yaml, training_data
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

READ = {
    "trained": ("content", "label", "role", "split"),
    "pretrained": ("content", "split"),
    "distilled": ("content", "split"),
    "aligned": ("content", "label", "split", "text"),
    "adapted": ("content", "label", "split"),
}
"""The columns of items that the models of each section are trained on, as in dvc.yaml.

Corrections are applied to them.
"""


def read_training_data(ws: Workspace, entry: Entry, recipe: LearnedRecipe) -> TrainingData:
    """Read the items that a model learns from, with only the columns of its stage.

    Args:
        ws: the workspace.
        entry: the entry of the model in params.yaml.
        recipe: its recipe.

    Raises:
        MissingArtefactError: a data set was not ingested, or not embedded by the model
            whose vectors are read.
    """
    columns, model = READ[recipe.section], entry.get(recipe.vectors_option)
    parts = [_part(ws, dataset, columns, model) for dataset in training_data(entry)]
    return parts[0] if len(parts) == 1 else mixed_data(parts, recipe.merge_labels)


def _part(
    ws: Workspace, dataset: str, columns: tuple[str, ...], model: str | None
) -> TrainingData:
    """Read the items of one data set."""
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(versions.locate(ws, ws.table(dataset, "items")), command)
    path = versions.locate(ws, ws.table(dataset, "images"))
    images = tables.open_table(path, command)
    rows = images.read(["image_id"]).with_row_index("row")
    known = ("item_id", "image_id", "box", *columns)
    item_rows = (
        correct_items(ws, dataset, items.read(known))
        .join(rows, on="image_id", maintain_order="left")
        .with_columns(
            pl.lit(None, pl.String).alias(c) for c in COLUMNS if c not in (*known, "row")
        )
        .select(list(dict.fromkeys((*COLUMNS, *columns))))
        .sort("item_id")
    )
    digests = _digests(ws, dataset, "items", columns)
    if ws.corrections(dataset).is_file():
        content = ws.corrections(dataset).read_bytes()
        digests[f"{dataset}.corrections"] = hashlib.sha256(content).hexdigest()
    vectors = None
    if model is not None:
        vectors = versions.locate(ws, ws.embeddings(dataset, model))
        tables.open_table(vectors, artefacts.embeddings(ws, dataset, model).command)
        digests |= _digests(ws, dataset, model, ("vector",))
    return TrainingData(dataset, item_rows, item_rows, path, digests, vectors)


def _digests(
    ws: Workspace, dataset: str, table: str, columns: tuple[str, ...]
) -> dict[str, str]:
    path = ws.digests(dataset, table)
    if not path.is_file():
        raise MissingArtefactError(f"there is no {ws.relative(path)}", "dvc repro")
    column_digests = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns
    return {f"{dataset}.{table}.{name}": column_digests[name] for name in columns}
