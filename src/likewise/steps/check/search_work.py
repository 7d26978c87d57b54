"""The work of one shard of a check: near copies, or neighbours of some vectors."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from likewise.distributed import ShardPlan, read_inputs, read_plan, write_arrays
from likewise.errors import DataError
from likewise.formats.array_types import AnyArray
from likewise.imaging.near_duplicates import HashSearch
from likewise.retrieval.indexes.base import BuiltIndex
from likewise.retrieval.neighbour_search import NeighbourSearch, search_rows
from likewise.steps.check.check_inputs import CheckInputs
from likewise.storage import tables
from likewise.storage.workspace import Workspace

HASHES = "hashes"
"""The names of searches of near copies begin with it; others are those of their role."""

ROWS = 512
"""Vectors of a unit of a shard; those of a search of near copies are words of the hashes."""


@dataclass(frozen=True)
class SearchWork:
    """The work of one shard.

    Attributes:
        root: the folder of the catalogue.
        dataset: name of the data set.
        plan: the identity of the plan.
    """

    root: str
    dataset: str
    plan: str

    def __call__(self, shard: int) -> None:
        """Search in a shard and write its part.

        Raises:
            DataError: the vectors have changed since the plan.
        """
        plan = read_plan(Workspace(Path(self.root)), f"check-{self.dataset}", self.plan)
        with plan.begun(shard):
            rows = plan.rows(shard)
            name, units = str(rows["search"][0]), rows["unit"].to_list()
            if not name.startswith(HASHES):
                neighbours, index = self._neighbours(plan, name)
                stop = min((units[-1] + 1) * ROWS, neighbours.table.rows)
                scores, hits = search_rows(neighbours, index, range(units[0] * ROWS, stop))
                arrays = {"scores": scores, "rows": hits.astype(np.int32)}
                write_arrays(plan, shard, arrays)
                return
            inputs = _arrays(self.root, self.dataset, self.plan)
            options = json.loads(plan.facts[name])
            search = HashSearch(inputs[f"{name}.queries"], inputs[f"{name}.base"], **options)
            nearest = search.by_words(range(units[0], units[-1] + 1))
            write_arrays(plan, shard, vars(nearest))

    def _neighbours(self, plan: ShardPlan, role: str) -> tuple[NeighbourSearch, BuiltIndex]:
        """Open the vectors of a search and build its index.

        Raises:
            DataError: the vectors, or their model in the check, have changed since the plan.
        """
        inputs = CheckInputs.of(plan.ws, self.dataset)
        model, planned = inputs.model_of(role), json.loads(plan.facts[role])["vectors"]
        path = None if model is None else inputs.vectors(model).path
        if path is None or tables.manifest_hash(path) != planned:
            raise DataError(
                f"the vectors of {self.dataset} or its check have changed since the shards "
                "were planned; run the same command again"
            )
        return _neighbours(self.root, self.dataset, self.plan, role)


@lru_cache(maxsize=1)
def _arrays(root: str, dataset: str, plan: str) -> dict[str, AnyArray]:
    """Map the arrays of a plan; a process does so once for many shards."""
    return read_inputs(read_plan(Workspace(Path(root)), f"check-{dataset}", plan))


@lru_cache(maxsize=1)
def _neighbours(
    root: str, dataset: str, plan: str, role: str
) -> tuple[NeighbourSearch, BuiltIndex]:
    """Open the vectors of a search and build its index, once for many shards."""
    inputs = CheckInputs.of(Workspace(Path(root)), dataset)
    options = json.loads(read_plan(inputs.ws, f"check-{dataset}", plan).facts[role])
    del options["vectors"]
    table = inputs.vectors(inputs.model_of(role) or "")
    allowed = _arrays(root, dataset, plan).get(f"{role}.allowed")
    allowed = None if allowed is None else np.array(allowed)
    memory = inputs.ws.params.memory
    search = NeighbourSearch(table, allowed=allowed, memory=memory, **options)
    return search, search.index()


def forget_sources() -> None:
    """Close what this process has opened for shards."""
    _arrays.cache_clear()
    _neighbours.cache_clear()
