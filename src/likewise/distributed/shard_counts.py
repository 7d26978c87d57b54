"""The numbers of shards of a job: planned, taken over, computed."""

from dataclasses import dataclass

from likewise.errors import ConfigError


@dataclass(frozen=True)
class ShardCounts:
    """Counts of the shards of a job.

    Attributes:
        planned: number of shards of the plan.
        taken_over: number of shards that were complete before.
        computed: number of shards that this call computed.
        rows: number of rows of the shards that this call computed: contents or files, of
            ``evaluate`` tiles of the gallery, of ``check`` words of hashes and runs of vectors.
        discarded: number of complete shards of other plans, which had other inputs.
        waiting: number of shards that need results of other processes first.
    """

    planned: int
    taken_over: int
    computed: int
    rows: int = 0
    discarded: int = 0
    waiting: int = 0


def parse_shard(text: str) -> tuple[int, int]:
    """Parse ``K/N``, the number of a process and the number of processes.

    Raises:
        ConfigError: it has another form, or K is not in 0 to N - 1.

    Example:
        >>> parse_shard("3/64")
        (3, 64)
    """
    own, sign, all_ = text.partition("/")
    if sign and own.isdecimal() and all_.isdecimal() and int(own) < int(all_):
        return int(own), int(all_)
    raise ConfigError(
        f"--shard {text}: expected K/N with K from 0 to N-1, such as 0/64 to 63/64"
    )
