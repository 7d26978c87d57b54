"""The indexes that a checkout keeps, and whether they are up to date."""

from collections.abc import Iterator
from dataclasses import dataclass

from likewise.catalogue.dataset import Dataset
from likewise.errors import LikewiseError
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes.benchmark import IndexMeasurement
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Indexed:
    """An index that is kept.

    Attributes:
        dataset: whose items it finds,
        model: by whose vectors,
        index: and its entry in params.yaml.
        state: ``current``; ``partial``: some items are found by exact search beside it;
            ``stale``: it is not used until it is made anew; ``unused``: params.yaml asks for
            it no more.
        covered: items that are in it,
        items: and how many there are.
        command: what mends a state that is not ``current``.
        measured: its recall and speed beside exact search; None where it was never measured.
    """

    dataset: str
    model: str
    index: str
    state: str
    covered: int
    items: int
    command: str
    measured: IndexMeasurement | None


def find_cached_indexes(ws: Workspace) -> Iterator[Indexed]:
    """The same of a workspace that is open."""
    folder = ws.index("x", "x", "x").parents[2]
    opened: dict[str, Dataset] = {}
    for facts in sorted(folder.glob("*/*/*/facts.json")):
        dataset, model, name = facts.relative_to(folder).parts[:3]
        if not name.startswith("."):
            yield _described(ws, opened, dataset, model, name)


def _described(
    ws: Workspace, opened: dict[str, Dataset], dataset: str, model: str, name: str
) -> Indexed:
    asked = dataset in ws.params.datasets and model in ws.params.models_of(dataset)
    if not asked or name not in {*ws.params.indexes, "exact"}:
        command = f"rm -r {ws.relative(ws.index(dataset, model, name))}"
        return Indexed(dataset, model, name, "unused", 0, 0, command, None)
    stored = CachedIndex(ws, opened.setdefault(dataset, Dataset(ws, dataset)), model, name)
    facts = stored.facts()
    measured = facts.measured if facts else None
    try:
        state, covered, items = _state(stored)
    except LikewiseError:  # the data set is not published now
        state, covered, items = "stale", 0, 0
    command = "" if state == "current" else stored.command
    return Indexed(dataset, model, name, state, covered, items, command, measured)


def _state(stored: CachedIndex) -> tuple[str, int, int]:
    if stored.stale():
        return "stale", 0, len(stored.dataset.items)
    if not stored.file.is_file():
        facts, items = stored.facts(), len(stored.dataset.items)
        same = facts is not None and facts.rows == items
        return "current" if same else "stale", items, items
    covered, items = stored.covered()
    return "current" if covered == items else "partial", covered, items
