"""Search near copies and similar items in shards, by any engine.

The shards are those of large searches: each of the 16 words of the hashes, and runs of vectors.
The flags are then made from their results as from those of one process.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import polars as pl

from likewise.distributed import (
    ARRAYS,
    Engine,
    ShardCounts,
    ShardPlan,
    array_parts,
    discarded_shards,
    inputs_digest,
    make_plan,
    own_shards,
    read_arrays,
    run_missing,
    write_inputs,
)
from likewise.distributed.shard_cuts import even_sizes
from likewise.formats.array_types import AnyArray
from likewise.imaging.near_duplicates import (
    NO_ROW,
    WORDS,
    HashSearch,
    Nearest,
    nearest_of,
    search_hashes,
)
from likewise.retrieval.neighbour_search import (
    FoundNeighbours,
    NeighbourSearch,
    search_neighbours,
)
from likewise.steps.check.check_inputs import CheckInputs
from likewise.steps.check.collect_flags import (
    Searches,
    flags_of_copies,
    neighbour_searches,
)
from likewise.steps.check.search_work import HASHES, ROWS, SearchWork, forget_sources
from likewise.storage import tables

MANY_HASHES = 500_000
"""Hashes of a search that is cut into shards; one process needs seconds for fewer."""

MANY_VECTORS = 20_000
"""Vectors of a search that is cut into shards."""

_VERSION = "1"
"""Version of the shards and their results, so that those of another one are not used."""


@dataclass(frozen=True)
class _PlannedSearch:
    """A large search: its name, the arrays and options that workers need, and its shards."""

    name: str
    arrays: Mapping[str, AnyArray]
    options: Mapping[str, Any]
    sizes: Sequence[int]


def check_job(dataset: str) -> str:
    """Return the name of the job of a check: of its lock, staging folder and plans."""
    return f"check-{dataset}"


@dataclass(frozen=True)
class CheckJob:
    """The searches of the check of a data set."""

    inputs: CheckInputs

    @property
    def name(self) -> str:
        """The name of the job."""
        return check_job(self.inputs.dataset)

    def plan(self) -> ShardPlan | None:
        """Make the plan of the large searches; None if there are none."""
        searches = [*self._hash_searches(), *self._neighbour_searches()]
        if not searches:
            return None
        arrays = {
            f"{one.name}.{k}": array for one in searches for k, array in one.arrays.items()
        }
        facts = {one.name: json.dumps(one.options, sort_keys=True) for one in searches}
        rows = pl.concat(
            pl.DataFrame({"search": [one.name] * sum(one.sizes), "unit": range(sum(one.sizes))})
            for one in searches
        )
        return make_plan(
            self.inputs.ws,
            self.name,
            facts={**facts, ARRAYS: inputs_digest(arrays), "version": _VERSION},
            rows=rows,
            sizes=[size for one in searches for size in one.sizes],
            prepare=lambda plan: write_inputs(plan, arrays),
        )

    def search(self, plan: ShardPlan, engine: Engine) -> ShardCounts:
        """Compute the missing shards of a plan.

        Raises:
            DataError: shards failed; all others are kept.
        """
        counts = self._run(plan, engine, plan.shards)
        return replace(counts, discarded=discarded_shards(plan))

    def search_own(self, shard: tuple[int, int], engine: Engine) -> ShardCounts:
        """Compute the shards of process K of N: those whose number modulo N is K.

        Raises:
            DataError: a shard failed; all others are kept.
        """
        plan = self.plan()
        if plan is None:
            return ShardCounts(0, 0, 0)
        return self._run(plan, engine, own_shards(plan, shard))

    def searches(self, plan: ShardPlan) -> Searches:
        """Return the searches whose results are those of the shards of a plan.

        A search that is not large is computed by this process.
        """
        parts, shards = array_parts(plan), _shards_of(plan)
        hashes = (f"{HASHES}{number}" for number in count())
        roles = iter(neighbour_searches(self.inputs))

        def results(name: str) -> Iterator[dict[str, AnyArray]]:
            return (read_arrays(plan, parts[shard]) for shard in shards[name])

        def search(one: HashSearch) -> Nearest:
            name = next(hashes)
            if name not in shards:
                return search_hashes(one)
            return nearest_of(Nearest(**arrays) for arrays in results(name))

        def neighbours(one: NeighbourSearch) -> Iterator[FoundNeighbours]:
            name = next(roles)
            if name not in shards:
                return search_neighbours(one)
            pairs = ((arrays["scores"], arrays["rows"]) for arrays in results(name))
            return ((scores, rows.astype(np.int64)) for scores, rows in pairs)

        return Searches(search, neighbours)

    def _run(self, plan: ShardPlan, engine: Engine, shards: Sequence[int]) -> ShardCounts:
        """Compute those of ``shards`` that are missing."""
        work = SearchWork(str(plan.ws.root), self.inputs.dataset, plan.id)
        try:
            return run_missing(plan, work, engine, shards, array_parts(plan))
        finally:
            forget_sources()

    def _hash_searches(self) -> Iterator[_PlannedSearch]:
        """Yield the large searches of near copies."""
        searches: list[HashSearch] = []

        def note(search: HashSearch) -> Nearest:
            searches.append(search)
            none = np.full(len(search.queries), NO_ROW)
            return Nearest(none, none + search.max_bits + 2)

        for _ in flags_of_copies(self.inputs, note):
            pass
        for number, one in enumerate(searches):
            smaller, larger = sorted((len(one.queries), len(one.base)))
            if smaller and larger > MANY_HASHES:
                arrays = {"queries": one.queries, "base": one.base}
                options = {"max_bits": one.max_bits, "earlier": one.earlier}
                yield _PlannedSearch(f"{HASHES}{number}", arrays, options, [1] * WORDS)

    def _neighbour_searches(self) -> Iterator[_PlannedSearch]:
        """Yield the large exact searches of neighbours."""
        for role, search in neighbour_searches(self.inputs).items():
            rows = search.table.rows
            if not search.is_exact or rows <= MANY_VECTORS:
                continue
            units = -(-rows // ROWS)
            nbytes = ROWS * search.table.dim("vector") * 4
            arrays = {} if search.allowed is None else {"allowed": search.allowed}
            options = {
                "vectors": tables.manifest_hash(search.table.path),
                "entry": dict(search.entry),
                "depth": search.depth,
                "wide": search.wide,
                "origin": search.origin,
            }
            yield _PlannedSearch(role, arrays, options, even_sizes(units, nbytes))


def _shards_of(plan: ShardPlan) -> dict[str, list[int]]:
    """Return the shards of each search, in order."""
    shards: dict[str, list[int]] = {}
    for shard in plan.shards:
        shards.setdefault(str(plan.rows(shard)["search"][0]), []).append(shard)
    return shards
