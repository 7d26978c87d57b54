"""Rank a gallery in shards, by any engine.

A shard is a run of queries and a run of the gallery. The first half of the shards score the
relevant items; the second half, which needs these scores, count the items ahead of them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from likewise.catalogue.dataset import Dataset
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
    plans_of,
    read_arrays,
    read_plan,
    refuse_failed,
    run_shards,
    write_arrays,
    write_inputs,
)
from likewise.distributed.shard_cuts import even_sizes
from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Protocol
from likewise.evaluation.protocols.stored_vectors import (
    divided,
    gallery_tiles,
    stored_norms,
)
from likewise.evaluation.ranking import (
    TILE_ROWS,
    CountedShard,
    Ranking,
    ShardOfGallery,
    count_shard,
    query_runs,
    rank_run,
    rank_runs,
    shard_scores,
)
from likewise.formats.array_types import Float64Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.steps.evaluate.planned_ranking import PlannedRanking
from likewise.steps.evaluate.run_inputs import protocol_rows, run_digests
from likewise.steps.evaluate.shard_cells import SHAPE, cell_of, halves, ranges_of, scores_of
from likewise.storage import journal, tables
from likewise.storage.workspace import Workspace

_INPUTS = "inputs"
"""The fact of a plan with its inputs."""

_VERSION = "1"
"""Version of the shards and their results, so that those of another one are not used."""


def rank_job(run: str) -> str:
    """Return the name of the job of a run: of its lock, staging folder and plans."""
    return f"evaluate-{run}"


@dataclass(frozen=True)
class RankJob:
    """The ranking of the gallery of a run.

    Attributes:
        ws: the checkout.
        run: name of the run.
        dataset: the data set that it ranks.
        protocol: its protocol.
    """

    ws: Workspace
    run: str
    dataset: Dataset
    protocol: Protocol

    @classmethod
    def of(cls, ws: Workspace, run: str) -> "RankJob":
        """Open the data set of a run."""
        entry = ws.run(run)
        protocol = PROTOCOLS.build(entry.protocol_entry(), f"params.yaml: runs.{run}")
        return cls(ws, run, Dataset(ws, entry.dataset), protocol)

    @property
    def name(self) -> str:
        """The name of the job."""
        return rank_job(self.run)

    @property
    def model(self) -> str:
        """The model whose vectors are ranked."""
        return self.ws.run(self.run).model

    @property
    def inputs(self) -> str:
        """The entry of the run and the digests of what it reads, as JSON."""
        entry = self.ws.run(self.run)
        columns = run_digests(self.ws, self.dataset, self.protocol, entry)
        document = {
            "run": entry.recorded(),
            "columns": columns,
            "items": len(self.dataset),
            "version": _VERSION,
        }
        return json.dumps(document, sort_keys=True)

    def vectors(self) -> VectorBlocks:
        """Refer to the vectors of the run."""
        self.dataset.need_model(self.model)
        return tables.vector_blocks(self.dataset.table, self.model, self.ws.params.memory)

    def known_plan(self) -> ShardPlan | None:
        """Return the plan of the present inputs, if there is one."""
        plans = plans_of(self.ws, self.name)
        now = self.inputs if plans else ""
        return next((plan for plan in plans if plan.facts.get(_INPUTS) == now), None)

    def plan(self) -> ShardPlan | None:
        """Make the plan; None if the protocol ranks no gallery as a whole.

        Processes that start together wait for the one that makes it, and read its plan.

        Raises:
            DataError: no query is left, or vectors are not finite.
        """
        with journal.turn(self.ws, f"{self.name}-plan"):
            return self.known_plan() or self._new_plan()

    def _new_plan(self) -> ShardPlan | None:
        rows = protocol_rows(self.dataset, self.protocol)
        ranking = self.protocol.gallery_ranking(rows)
        if ranking is None or not len(ranking.task.queries) or not len(ranking.task.gallery):
            return None
        vectors = self.vectors()
        planned = PlannedRanking.of(ranking, stored_norms(vectors, rows["item_id"]))
        arrays = planned.arrays()
        starts = np.arange(0, len(planned.gallery), TILE_ROWS)
        sizes = even_sizes(len(starts), TILE_ROWS * vectors.dim * 4)
        runs = query_runs(len(planned.queries))
        shape = {"ranges": len(sizes), "queries": runs[0].stop - runs[0].start}
        facts = {
            _INPUTS: self.inputs,
            SHAPE: json.dumps(shape, sort_keys=True),
            ARRAYS: inputs_digest(arrays),
        }
        return make_plan(
            self.ws,
            self.name,
            facts=facts,
            rows=pl.DataFrame({"row": np.tile(starts, 2 * len(runs))}),
            sizes=sizes * (2 * len(runs)),
            prepare=lambda plan: write_inputs(plan, arrays),
        )

    def rank(self, plan: ShardPlan, engine: Engine) -> ShardCounts:
        """Compute the missing shards of a plan.

        Raises:
            DataError: shards failed; all others are kept.
        """
        counts = self._run(plan, engine, plan.shards)
        return replace(counts, discarded=discarded_shards(plan))

    def rank_own(self, shard: tuple[int, int], engine: Engine) -> ShardCounts:
        """Compute the shards of process K of N: those whose number modulo N is K.

        Shards of the second half wait until all of the first half are complete.

        Raises:
            DataError: a shard failed; all others are kept.
        """
        plan = self.plan()
        if plan is None:
            return ShardCounts(0, 0, 0)
        return self._run(plan, engine, own_shards(plan, shard))

    def _run(self, plan: ShardPlan, engine: Engine, shards: Sequence[int]) -> ShardCounts:
        """Compute the missing ones of ``shards`` that need no result of another process."""
        before = array_parts(plan)
        scores, counts = halves(plan)
        todo = [number for number in shards if number not in before]
        first = [number for number in todo if number in scores]
        second = [number for number in todo if number in counts]
        waiting: list[int] = []
        try:
            refuse_failed(plan, run_shards(plan, self._work(plan), engine, first))
            if len(array_parts(plan, scores)) < len(scores):
                second, waiting = [], second
            refuse_failed(plan, run_shards(plan, self._work(plan), engine, second))
        finally:
            forget_sources()
        computed = [*first, *second]
        rows = sum(plan.sizes[number] for number in computed)
        taken_over = len(shards) - len(todo)
        return ShardCounts(len(shards), taken_over, len(computed), rows, waiting=len(waiting))

    def ranking(self, plan: ShardPlan) -> tuple[Ranking, Float64Array]:
        """Combine all shards of a plan: the ranking, and the norms (items,) of all vectors.

        Raises:
            DamagedError: a file of a shard is damaged.
        """
        planned, parts = PlannedRanking.read(plan), array_parts(plan)
        runs = []
        for first in halves(plan)[1][:: ranges_of(plan)]:
            cell = cell_of(plan, planned, first)
            groups = planned.groups.part(cell.queries)
            own = scores_of(plan, planned, cell, parts)
            shards = (first + number for number in range(len(cell.scored)))
            counted = (CountedShard(**read_arrays(plan, parts[shard])) for shard in shards)
            runs.append(rank_run(groups, own, counted, planned.top))
        relevant = planned.groups.relevant
        return rank_runs(relevant, len(planned.gallery), runs), planned.norms

    def _work(self, plan: ShardPlan) -> "RankWork":
        return RankWork(str(self.ws.root), self.run, plan.id)


@dataclass(frozen=True)
class RankWork:
    """The work of one shard: scores of its relevant items, or counts of its items.

    Attributes:
        root: the folder of the catalogue.
        run: name of the run.
        plan: the identity of the plan.
    """

    root: str
    run: str
    plan: str

    def __call__(self, shard: int) -> None:
        """Rank the gallery rows of a shard and write its part.

        Raises:
            DataError: the run or the data set has changed since the plan.
        """
        plan = read_plan(Workspace(Path(self.root)), rank_job(self.run), self.plan)
        with plan.begun(shard):
            vectors, planned = _source(self.root, self.run, self.plan)
            cell, task = cell_of(plan, planned, shard), planned.task()
            groups = planned.groups.part(cell.queries)
            tiles = gallery_tiles(vectors, task, planned.divisors, cell.rows)
            queries = divided(vectors, task.queries[cell.queries], planned.divisors)
            part = ShardOfGallery(queries, cell.rows.start, tiles, groups)
            if not cell.counts:
                write_arrays(plan, shard, {"scores": shard_scores(part)})
                return
            own = scores_of(plan, planned, cell, array_parts(plan, cell.scored))
            write_arrays(plan, shard, vars(count_shard(part, own, planned.top)))


@lru_cache(maxsize=1)
def _source(root: str, run: str, plan: str) -> tuple[VectorBlocks, PlannedRanking]:
    """Open the vectors and the planned ranking; a process opens them once for many shards.

    Raises:
        DataError: the run or the data set has changed since the plan.
    """
    job = RankJob.of(Workspace(Path(root)), run)
    made = read_plan(job.ws, job.name, plan)
    if made.facts[_INPUTS] != job.inputs:
        raise DataError(
            f"run {run!r} or its data set has changed since the shards were planned; run the "
            "same command again"
        )
    return job.vectors(), PlannedRanking.read(made)


def forget_sources() -> None:
    """Close what this process has opened for shards."""
    _source.cache_clear()
