"""Names of models that are also columns of a data set: both would be one published column."""

from collections.abc import Iterable, Iterator

from likewise.errors import DataError
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace


def check_columns(dataset: str, columns: Iterable[str], models: Iterable[str]) -> None:
    """Refuse a data set with a column that has the name of a model that embeds it.

    Args:
        dataset: name of the data set.
        columns: columns that only its source has.
        models: models that embed it.

    Raises:
        DataError: there is such a column.
    """
    for name in sorted(set(columns) & set(models)):
        raise DataError(_message(dataset, name))


def check_model(ws: Workspace, model: str) -> None:
    """Refuse a model with the name of a column of an ingested data set that it embeds.

    Raises:
        DataError: there is such a data set.
    """
    for entry in ws.params.vector_entries().values():
        if entry.model == model and model in _ingested_columns(ws, entry.dataset):
            raise DataError(_message(entry.dataset, model))


def model_clashes(ws: Workspace) -> Iterator[str]:
    """Yield a message per model that has the name of a column of a data set it embeds."""
    for entry in ws.params.vector_entries().values():
        if entry.model in _ingested_columns(ws, entry.dataset):
            yield _message(entry.dataset, entry.model)


def _ingested_columns(ws: Workspace, dataset: str) -> Iterable[str]:
    path = ws.digests(dataset, "items")
    return Digests.from_yaml(read_yaml(path), path.name).columns if path.is_file() else ()


def _message(dataset: str, name: str) -> str:
    return (
        f"the data set {dataset!r} has a column {name!r}, and a model of that name embeds it; "
        "rename the model in params.yaml, or give the column another name in the card: "
        f'source: rename: {{"{name}": "NEW_NAME"}}'
    )
