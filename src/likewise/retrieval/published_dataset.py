"""The part of an open data set that indexes and filters need; ``Dataset`` provides it."""

from collections.abc import Sequence
from typing import Protocol

from likewise.errors import DataError
from likewise.formats.array_types import Int32Array, Int64Array
from likewise.retrieval.search_query import Query
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

    @property
    def text_models(self) -> list[str]:
        """Those of ``models`` that have a text tower."""
        ...

    def other_text_models(self) -> list[str]:
        """Return the other models of the catalogue that have a text tower."""
        ...

    def need_model(self, model: str) -> None:
        """Refuse a model without a vector column."""
        ...

    def taken_down(self) -> set[str]:
        """Return the SHA-256 of the images that are on record as taken down now."""
        ...


def resolve_query_model(dataset: PublishedDataset, query: Query) -> str:
    """Return the model whose vectors a query compares.

    A query by text needs a model with a text tower. Keywords alone do not depend on the model.

    Raises:
        DataError: several models would do and the query names none; or a query by text, and
            there is no text tower.
        UnknownNameError: no such model.
        MissingArtefactError: the vectors of that model are not published.
    """
    if query.uses_texts:
        return resolve_text_model(dataset, query.model)
    any_model = dataset.models[0] if dataset.models and not query.uses_vectors else None
    return resolve_model(dataset, query.model or any_model)


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


def resolve_text_model(dataset: PublishedDataset, name: str | None) -> str:
    """Return the model ``name``; if it is None, the only model with a text tower.

    Raises:
        DataError: that model has no text tower; or ``name`` is None, and no model or several
            models have one.
        UnknownNameError: no such model.
        MissingArtefactError: the vectors of that model are not published.
    """
    if name is not None:
        dataset.need_model(name)
    able = dataset.text_models
    if name in able:
        return name or ""
    if name is None and len(able) == 1:
        return able[0]
    if name is None and able:
        models = ", ".join(able)
        raise DataError(f"{dataset.name}: several models have a text tower; name one: {models}")
    who = f"no model of {dataset.name}" if name is None else f"model {name!r}"
    fault = "has a text tower" if name is None else "has no text tower"
    raise DataError(
        f"{who} {fault}, so it cannot search by a text; to find words of labels and texts, use "
        f"--keywords; {_models_with_text(dataset, able)}"
    )


def _models_with_text(dataset: PublishedDataset, able: list[str]) -> str:
    """Return the models that have a text tower, or how to get one, for a message."""
    if able:
        return f"models of {dataset.name} with a text tower: {', '.join(able)}"
    if others := dataset.other_text_models():
        return f"models of the catalogue with a text tower: {', '.join(others)}"
    return (
        "no model of the catalogue has a text tower either; the kinds that have one are "
        "contrastive-text, open_clip and transformers: likewise kinds recipes KIND"
    )


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
