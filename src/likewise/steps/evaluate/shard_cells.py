"""The queries and gallery rows of the shards of a ranking, from its plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from likewise.distributed import ShardPart, ShardPlan, read_arrays
from likewise.evaluation.ranking import TILE_ROWS, own_scores
from likewise.formats.array_types import Float32Array
from likewise.steps.evaluate.planned_ranking import PlannedRanking

SHAPE = "shape"
"""The fact of a plan with the number of runs of the gallery, and of queries of a run."""


@dataclass(frozen=True)
class Cell:
    """The queries and the gallery rows of a shard.

    Attributes:
        queries: positions of the queries.
        rows: positions in the gallery.
        scored: the shards of the first half of the same queries.
        counts: True for a shard of the second half.
    """

    queries: slice
    rows: slice
    scored: range
    counts: bool


def cell_of(plan: ShardPlan, planned: PlannedRanking, shard: int) -> Cell:
    """Return the queries and the gallery rows of a shard."""
    ranges, shape = ranges_of(plan), json.loads(plan.facts[SHAPE])
    half = len(plan.sizes) // 2
    run, place = divmod(shard % half, ranges)
    start = run * shape["queries"]
    first = sum(plan.sizes[:place]) * TILE_ROWS
    last = first + plan.sizes[place] * TILE_ROWS
    return Cell(
        slice(start, min(start + shape["queries"], len(planned.queries))),
        slice(first, min(last, len(planned.gallery))),
        range(run * ranges, (run + 1) * ranges),
        counts=shard >= half,
    )


def ranges_of(plan: ShardPlan) -> int:
    """Return the number of runs of the gallery."""
    return int(json.loads(plan.facts[SHAPE])["ranges"])


def halves(plan: ShardPlan) -> tuple[range, range]:
    """Return the shards that score relevant items, and those that count items."""
    half = len(plan.sizes) // 2
    return range(half), range(half, len(plan.sizes))


def scores_of(
    plan: ShardPlan, planned: PlannedRanking, cell: Cell, parts: Mapping[int, ShardPart]
) -> Float32Array:
    """Return the scores (m,) of the relevant items of the queries of a shard.

    Raises:
        DamagedError: a file of a shard is damaged.
    """
    scores = [read_arrays(plan, parts[shard])["scores"] for shard in cell.scored]
    runs = [cell_of(plan, planned, shard).rows for shard in cell.scored]
    return own_scores(planned.groups.part(cell.queries), scores, runs)
