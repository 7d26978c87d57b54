"""The lines about shards that commands print."""

from typing import TYPE_CHECKING

from likewise.cli.output import print_line, print_next
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import ShardCounts


def print_shards(counts: "ShardCounts | None", shard: str | None, command: str) -> bool:
    """Print how shards were computed; return True if the job is not committed yet."""
    if counts is not None:
        of = f" of process {shard}" if shard else ""
        print_line(
            f"{counts.taken_over:,} of {counted(counts.planned, 'shard')}{of} taken over, "
            f"{counts.computed:,} computed"
        )
        if counts.waiting:
            print_line(
                f"{counted(counts.waiting, 'shard')} of process {shard} left: they need the "
                "first shards of all processes; run all processes again"
            )
        if counts.discarded:
            print_line(
                f"{counted(counts.discarded, 'shard')} of earlier inputs not used and removed"
            )
    if shard:
        print_next(f"after all processes: {command}")
    return bool(shard)
