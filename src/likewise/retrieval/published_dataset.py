"""The part of an open data set that indexes and filters need; ``Dataset`` provides it."""

from collections.abc import Sequence
from typing import Protocol

from likewise.errors import DataError
from likewise.formats.array_types import Int32Array, Int64Array
from likewise.storage import tables
from likewise.storage.workspace import Workspace


class PublishedDataset(Protocol):
    """An open data set: its published table, positions of items, and models."""

    name: str

    @property
    def table(self) -> tables.Table:
        """The published table."""
        ...

    def find(self, ids: Sequence[str]) -> Int64Array:
        """Return the positions of items; -1 for unknown ids."""
        ...

    def positions(self, ids: Sequence[str]) -> Int32Array:
        """Return the positions of items; refuse unknown ids."""
        ...

    @property
    def models(self) -> list[str]:
        """Names of the models that have a vector column."""
        ...

    def need_model(self, model: str) -> None:
        """Refuse a model without a vector column."""
        ...


def resolve_model(dataset: PublishedDataset, name: str | None) -> str:
    """Return the model ``name``; if it is None, the data set's only model.

    Raises:
        DataError: the data set has several models and ``name`` is None.
        UnknownNameError: no such model.
        MissingArtefactError: the vectors of that model are not published.
    """
    models = dataset.models
    if name is None and len(models) == 1:
        return models[0]
    if name is None and models:
        raise DataError(f"{dataset.name} has several models; name one: {', '.join(models)}")
    model = name or ""
    dataset.need_model(model)
    return model


def check_embeds_pictures(ws: Workspace, model: str) -> None:
    """Refuse a model whose vectors were imported: it cannot embed a picture.

    Raises:
        DataError: the vectors were imported.
    """
    if model in ws.params.imported_models():
        raise DataError(
            f"the vectors of {model!r} were imported, and the catalogue has no such model to "
            "embed a picture; search by an item or a vector: --id, --vector"
        )
