"""List the cached indexes of a workspace with their state."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from likewise.catalogue.dataset import Dataset
from likewise.distributed import ShardCounts
from likewise.errors import LikewiseError
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes.benchmark import IndexMeasurement
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Indexed:
    """A cached index.

    Attributes:
        dataset: name of the data set.
        model: model of the vectors.
        index: name of the index in params.yaml.
        state: ``current``; ``partial``: exact search finds the items that it does not cover;
            ``stale``: it is not used until it is built again; ``unused``: params.yaml does not
            name it any more.
        covered: number of items in the index.
        items: number of items of the data set.
        command: the command that makes the index ``current``, or removes it.
        measured: recall and speed compared with exact search; None if not measured.
        shards: the shards of the job of ``likewise index``; None if there are none.
    """

    dataset: str
    model: str
    index: str
    state: str
    covered: int
    items: int
    command: str
    measured: IndexMeasurement | None
    shards: ShardCounts | None = None


def find_cached_indexes(ws: Workspace) -> Iterator[Indexed]:
    """Yield the cached indexes of a workspace, sorted by path."""
    folder = ws.index("x", "x", "x").parents[2]
    datasets: dict[str, Dataset] = {}
    for path in sorted(folder.glob("*/*/*/facts.json")):
        dataset, model, name = path.relative_to(folder).parts[:3]
        if not name.startswith("."):
            yield _describe(ws, datasets, dataset, model, name)


def _describe(
    ws: Workspace, datasets: dict[str, Dataset], dataset: str, model: str, name: str
) -> Indexed:
    embedded = dataset in ws.params.datasets and model in ws.params.models_of(dataset)
    if not embedded or name not in {*ws.params.indexes, "exact"}:
        folder = ws.relative(ws.index(dataset, model, name))
        command = shlex.join(["rm", "-r", folder])
        return Indexed(dataset, model, name, "unused", 0, 0, command, None)
    cached = CachedIndex(ws, datasets.setdefault(dataset, Dataset(ws, dataset)), model, name)
    metadata = cached.metadata()
    measured = metadata.measured if metadata else None
    try:
        state, covered, items = _state(cached)
    except LikewiseError:  # the data set is not published now
        state, covered, items = "stale", 0, 0
    command = "" if state == "current" else cached.command
    return Indexed(dataset, model, name, state, covered, items, command, measured)


def _state(cached: CachedIndex) -> tuple[str, int, int]:
    """Return the state, the number of covered items, and the number of items."""
    if cached.metadata() is None or cached.is_stale():
        return "stale", 0, cached.dataset.table.rows
    if not cached.file.is_file():
        metadata, items = cached.metadata(), cached.dataset.table.rows
        same = metadata is not None and metadata.rows == items
        return "current" if same else "stale", items, items
    covered, items = cached.coverage()
    return "current" if covered == items else "partial", covered, items
