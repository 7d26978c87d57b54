"""Work in shards: a plan, parts, engines that call the work, and one commit.

A job runs in three steps.

1. **Plan.** ``make_plan`` cuts the rows of a job into shards and writes them once. A plan is a
   function of the inputs alone: workers, hosts and the clock are not part of it. Equal inputs
   have equal plans, so every process of a job finds the same plan.
2. **Work.** A ``Work`` is a frozen dataclass that is called with the number of a shard. It
   reads ``plan.rows(shard)``, computes, and ends with ``plan.write_part(...)``. This file
   appears completely or not at all; while it does not exist, the shard is missing. Work may be
   repeated, also by two processes at once.
3. **Commit.** One process reads all parts, changes tables and digests by the journal, and
   removes the folder of the job.

An engine decides only who calls the work. Its interface is one method::

    class Engine(Part):
        def run(self, work: Work, missing: Sequence[int]) -> Iterator[Done]: ...

``run`` calls ``attempt(work, shard)`` for every shard of ``missing``, anywhere and in any
order, and yields one ``Done`` per shard as soon as it is known; a ``Done`` with a ``fault`` is
a shard that failed. It raises only if no worker can be started. If the caller closes the
iterator, its workers end. An engine moves the work there and a ``Done`` back, both of a few
hundred bytes, and no rows. Engines know nothing of images.

A work that fails raises an error of ``likewise.errors``. Its fields are texts, numbers, None
and flags, so that ``describe`` can send it as JSON. It opens the workspace and the plan by
names, because a worker may run on another node that shares the file system:

    @dataclass(frozen=True)
    class CountWork:
        root: str
        plan: str

        def __call__(self, shard: int) -> None:
            plan = read_plan(Workspace(Path(self.root)), "count", self.plan)
            with plan.begun(shard):
                plan.write_part(shard, {"rows": len(plan.rows(shard))})

    plan = make_plan(ws, "count", facts={"of": digest}, rows=frame, sizes=[500, 500, 24])
    work = CountWork(str(ws.root), plan.id)
    failed = run_shards(plan, work, choose_engine(ws.params.engines, "processes"))
    counts = [part.data["rows"] for part in plan.parts().values()]
    remove_plans(ws, "count")

``engines`` has one module per kind. ``choose_engine`` reads ``--engine`` or LIKEWISE_ENGINE.
Nothing of an engine belongs into digests, passports, lineage or dvc.lock.
"""

from likewise.distributed.engines import ENGINES, choose_engine
from likewise.distributed.engines.base import Done, Engine, Work, attempt, describe, restore
from likewise.distributed.plan_notes import read_note, write_note
from likewise.distributed.shard_arrays import array_parts, read_arrays, write_arrays
from likewise.distributed.shard_counts import ShardCounts, parse_shard
from likewise.distributed.shard_cuts import Unit, shard_sizes, unit_sizes
from likewise.distributed.shard_inputs import (
    ARRAYS,
    inputs_digest,
    read_inputs,
    write_inputs,
)
from likewise.distributed.shard_plan import (
    ShardPlan,
    make_plan,
    plans_of,
    read_plan,
    remove_plans,
)
from likewise.distributed.shard_records import ShardNote, ShardPart
from likewise.distributed.shard_run import (
    FailedShard,
    discarded_shards,
    own_shards,
    refuse_failed,
    run_missing,
    run_shards,
)

__all__ = [
    "ARRAYS",
    "ENGINES",
    "Done",
    "Engine",
    "FailedShard",
    "ShardCounts",
    "ShardNote",
    "ShardPart",
    "ShardPlan",
    "Unit",
    "Work",
    "array_parts",
    "attempt",
    "choose_engine",
    "describe",
    "discarded_shards",
    "inputs_digest",
    "make_plan",
    "own_shards",
    "parse_shard",
    "plans_of",
    "read_arrays",
    "read_inputs",
    "read_note",
    "read_plan",
    "refuse_failed",
    "remove_plans",
    "restore",
    "run_missing",
    "run_shards",
    "shard_sizes",
    "unit_sizes",
    "write_arrays",
    "write_inputs",
    "write_note",
]
