"""Run the missing shards of a plan by an engine, with progress."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from tqdm import tqdm

from likewise.distributed.engines.base import Engine, Work
from likewise.distributed.shard_counts import ShardCounts
from likewise.distributed.shard_plan import ShardPlan, plans_of
from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted

_LAST = 8
"""Number of shards without a result from which on each is named, with its age."""

_SHOW_SECONDS = 10
_CLOCKS_DIFFER = 60
"""Seconds by which the clocks of two nodes may differ."""


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
    rows, left = sum(plan.sizes[shard] for shard in missing), set(missing)
    with (
        tqdm(total=rows, unit="rows", desc=plan.job, disable=None) as bar,
        _state_shown(plan, left, failed, bar),
    ):
        for done in engine.run(work, missing):
            left.discard(done.shard)
            if done.fault:
                plan.note_failure(done.shard, done.fault, done.by)
                failed.append(FailedShard(done.shard, done.fault, done.by))
            else:
                bar.update(plan.sizes[done.shard])
            bar.set_postfix_str(_counts(plan, left, failed))
    return sorted(failed, key=lambda one: one.shard)


def run_missing(
    plan: ShardPlan,
    work: Work,
    engine: Engine,
    shards: Sequence[int],
    complete: Collection[int],
) -> ShardCounts:
    """Compute those of ``shards`` that are not ``complete``, and count them.

    Raises:
        DataError: a shard failed; all others are kept.
    """
    missing = [shard for shard in shards if shard not in complete]
    refuse_failed(plan, run_shards(plan, work, engine, missing))
    rows = sum(plan.sizes[shard] for shard in missing)
    return ShardCounts(len(shards), len(shards) - len(missing), len(missing), rows)


def own_shards(plan: ShardPlan, shard: tuple[int, int]) -> list[int]:
    """Return the shards of process K of N: those whose number modulo N is K."""
    own, processes = shard
    return [number for number in plan.shards if number % processes == own]


def discarded_shards(plan: ShardPlan) -> int:
    """Count the complete shards of other plans of the job, which had other inputs."""
    others = (one for one in plans_of(plan.ws, plan.job) if one.id != plan.id)
    return sum(len(one.parts()) for one in others)


def last_shards(plan: ShardPlan, left: Collection[int], since: float = 0.0) -> str:
    """Describe the last shards of a job while processes work on them; "" if there are more.

    No shard is started a second time because it takes long.

    Args:
        plan: the plan.
        left: the shards without a result.
        since: leave out shards that were begun before this time, in seconds since 1970, because
            a killed process leaves its note.
    """
    if len(left) > _LAST:
        return ""
    notes = [note for note in plan.under_way() if note.shard in left and note.at >= since]
    return ", ".join(f"{note.shard} for {note.age:.0f} s" for note in notes if note.age)


@contextmanager
def _state_shown(
    plan: ShardPlan, left: Collection[int], failed: Collection[FailedShard], bar: "tqdm[Any]"
) -> Iterator[None]:
    """Show the last shards and their age, which change while no result comes."""
    if bar.disable:
        yield
        return
    ended, began = Event(), time.time() - _CLOCKS_DIFFER

    def show() -> None:
        while not ended.wait(_SHOW_SECONDS):
            shards = set(left)
            last = last_shards(plan, shards, began)
            bar.set_postfix_str(_counts(plan, shards, failed) + (last and f"; shard {last}"))

    shower = Thread(target=show, daemon=True)
    shower.start()
    try:
        yield
    finally:
        ended.set()
        shower.join()


def _counts(plan: ShardPlan, left: Collection[int], failed: Collection[FailedShard]) -> str:
    text = f"{len(left):,} of {counted(len(plan.sizes), 'shard')} left"
    return text + (f", {len(failed):,} failed" if failed else "")


def refuse_failed(plan: ShardPlan, failed: Sequence[FailedShard]) -> None:
    """Name the shards that failed.

    Raises:
        DataError: any shard failed.
    """
    if failed:
        lines = (f"shard {one.shard} ({one.by}): {one.why}" for one in failed)
        raise DataError(
            f"{len(failed):,} of {counted(len(plan.sizes), 'shard')} of {plan.job} failed: "
            f"{bounded(lines, len(failed), 3)}; all other shards are kept; run the same "
            "command again, or list them with: likewise status"
        )
