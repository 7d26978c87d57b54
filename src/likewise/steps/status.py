"""List the jobs that run in shards, and the state of their shards."""

from collections import Counter
from dataclasses import dataclass, field

from likewise.catalogue.catalogue import open_workspace
from likewise.distributed import ShardNote, ShardPlan, plans_of
from likewise.formats.paths import StrPath
from likewise.storage.workspace import subfolders


@dataclass(frozen=True)
class ShardedJob:
    """A plan of a job, and the state of its shards.

    Attributes:
        job: the name of the job: ``embed-birds-lite0``.
        plan: the identity of the plan, which depends on the inputs of the job.
        current: False if the job has a newer plan, because its inputs have changed.
        planned: number of shards.
        done: number of complete shards.
        rows: number of rows of all shards.
        rows_done: number of rows of complete shards.
        seconds: time that the complete shards took, summed over all processes.
        failed: the shards that failed, with reason and process.
        begun: the shards that a process has begun and not ended; it works on them or was
            killed.
        by: process -> number of shards that it completed.
    """

    job: str
    plan: str
    current: bool
    planned: int
    done: int
    rows: int
    rows_done: int
    seconds: float
    failed: list[ShardNote] = field(default_factory=list)
    begun: list[ShardNote] = field(default_factory=list)
    by: dict[str, int] = field(default_factory=dict)


def status(*, workspace: StrPath | None = None) -> list[ShardedJob]:
    """List the plans of jobs that no command has committed yet, with the state of their shards.

    The plain command, such as ``likewise embed birds lite0``, commits a job and removes its
    plans. Nothing is changed.

    Args:
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.

    Example:
        >>> done = likewise.measure("emoji", shard="0/1")
        >>> [job] = likewise.status()
        >>> job.job, job.planned, job.done, job.rows_done, job.failed
        ('measure-emoji', 1, 1, 23, [])
        >>> done = likewise.measure("emoji")
        >>> done.computed, done.shards.taken_over
        (0, 1)
        >>> likewise.status()
        []
    """
    ws = open_workspace(workspace)
    return [
        _state(plan, current=number == 0)
        for folder in subfolders(ws.sharded_jobs)
        for number, plan in enumerate(plans_of(ws, folder.name))
    ]


def _state(plan: ShardPlan, *, current: bool) -> ShardedJob:
    parts = plan.parts()
    return ShardedJob(
        plan.job,
        plan.id,
        current,
        len(plan.sizes),
        len(parts),
        sum(plan.sizes),
        sum(plan.sizes[shard] for shard in parts),
        round(sum(part.seconds for part in parts.values()), 3),
        plan.failed(),
        plan.under_way(),
        dict(Counter(part.by for part in parts.values())),
    )
