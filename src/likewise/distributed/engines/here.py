"""The engine of this process."""

from collections.abc import Iterator, Sequence

from likewise.distributed.engines.base import Done, Engine, Work, attempt


class Here(Engine):
    """Works in this process, on one shard after the other."""

    def run(self, work: Work, missing: Sequence[int]) -> Iterator[Done]:
        """Call the work of every shard, in order."""
        for shard in missing:
            yield attempt(work, shard)
