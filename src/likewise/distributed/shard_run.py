"""Run the missing shards of a plan by an engine, with progress."""

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from likewise.distributed.engines.base import Engine, Work
from likewise.distributed.shard_plan import ShardPlan
from likewise.errors import DataError, bounded


@dataclass(frozen=True)
class FailedShard:
    """A shard that failed: its number, the reason, and the process that worked on it."""

    shard: int
    why: str
    by: str


def run_shards(
    plan: ShardPlan, work: Work, engine: Engine, missing: Sequence[int] | None = None
) -> list[FailedShard]:
    """Let ``engine`` compute the missing shards; progress with rate and ETA is on stderr.

    Args:
        plan: the plan.
        work: the work of its shards.
        engine: who calls the work.
        missing: the shards to compute; by default all without a part.

    Returns:
        The shards that failed; the parts of all others are written.
    """
    if missing is None:
        parts = plan.parts()
        missing = [shard for shard in plan.shards if shard not in parts]
    if not missing:
        return []
    failed: list[FailedShard] = []
    rows, complete = sum(plan.sizes[shard] for shard in missing), 0
    with tqdm(total=rows, unit="rows", desc=plan.job, disable=None) as bar:
        for done in engine.run(work, missing):
            if done.fault:
                plan.note_failure(done.shard, done.fault, done.by)
                failed.append(FailedShard(done.shard, done.fault, done.by))
            else:
                complete += 1
                bar.update(plan.sizes[done.shard])
            text = f"{complete:,} of {len(missing):,} shards"
            bar.set_postfix_str(text + (f", {len(failed):,} failed" if failed else ""))
    return sorted(failed, key=lambda one: one.shard)


def refuse_failed(plan: ShardPlan, failed: Sequence[FailedShard]) -> None:
    """Name the shards that failed.

    Raises:
        DataError: any shard failed.
    """
    if failed:
        lines = (f"shard {one.shard} ({one.by}): {one.why}" for one in failed)
        raise DataError(
            f"{len(failed):,} of {len(plan.sizes):,} shards of {plan.job} failed: "
            f"{bounded(lines, len(failed), 3)}; all other shards are kept; run the same "
            "command again, or list them with: likewise status"
        )
