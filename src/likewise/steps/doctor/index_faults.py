"""Checks of indexes: entries that do not suit the vectors; kept ones, stale or unused."""

from collections.abc import Iterator

from likewise.catalogue.kept_indexes import find_cached_indexes
from likewise.errors import ConfigError, LikewiseError
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Index
from likewise.steps.doctor.problem import Problem, size
from likewise.storage import tables
from likewise.storage.workspace import Workspace

_Vectors = tuple[str, str]
"""A data set, and a model of its vectors."""


def check(ws: Workspace) -> Iterator[Problem]:
    """Yield the indexes that a search would refuse, and those not in params.yaml."""
    kept = list(find_cached_indexes(ws))
    uses = _uses(ws)
    for one in kept:
        if one.state != "unused":
            uses.setdefault(one.index, set()).add((one.dataset, one.model))
    unusable = {name for name in ws.params.indexes if not _is_valid(ws, name)}
    for name in sorted(ws.params.indexes.keys() - unusable):
        for fault in _unsuited(ws, name, uses.get(name, set())):
            unusable.add(name)
            yield Problem("params", fault, "edit params.yaml")
    for one in kept:
        name = f"index {one.index!r} of {one.dataset} by {one.model}"
        held = size(ws.index(one.dataset, one.model, one.index))
        if one.state == "stale" and one.index not in unusable:
            yield Problem(
                "index",
                f"{name} was built from other vectors or with other options",
                one.command,
            )
        elif one.state == "unused":
            what = f"params.yaml does not use {name}, which occupies {held}"
            yield Problem("index", what, one.command)


def _uses(ws: Workspace) -> dict[str, set[_Vectors]]:
    """Return the vectors that runs and checks search, by the name of the index."""
    uses: dict[str, set[_Vectors]] = {}
    for run in ws.params.runs.values():
        uses.setdefault(run.index, set()).add((run.dataset, run.model))
    for dataset, bounds in ws.params.checks.items():
        if bounds.model is not None:
            uses.setdefault(bounds.index, set()).add((dataset, bounds.model))
    return uses


def _is_valid(ws: Workspace, name: str) -> bool:
    """Return False for an entry that the check of kinds reports."""
    try:
        INDEXES.build(ws.params.indexes[name], "")
    except LikewiseError:
        return False
    return True


def _unsuited(ws: Workspace, name: str, used: set[_Vectors]) -> list[str]:
    """Return the faults of an entry of ``indexes`` with the published vectors.

    An entry that nothing uses has a fault if it suits no vectors.
    """
    place = f"params.yaml: indexes.{name}"
    index = INDEXES.build(ws.params.indexes[name], place)
    every = [
        (dataset, m) for dataset in ws.params.datasets for m in ws.params.models_of(dataset)
    ]
    faults = [_fault(ws, index, *vectors) for vectors in sorted(used) or every]
    known = [f"{place}: {fault}" if fault else "" for fault in faults if fault is not None]
    if not used:
        return known[:1] if all(known) else []
    return list(dict.fromkeys(filter(None, known)))


def _fault(ws: Workspace, index: Index, dataset: str, model: str) -> str | None:
    """Return why an index does not suit vectors; "" if it does, None if there are none."""
    try:
        table = tables.open_table(ws.published(dataset), "")
        if model not in table.vector_columns:
            return None
        index.check_size(table.rows, table.schema.field(model).type.list_size)
    except ConfigError as error:
        return str(error)
    except (LikewiseError, OSError):  # not published, or reported by another check
        return None
    return ""
