"""The sizes of shards: a function of the rows alone."""

from collections.abc import Iterable

MOST_ROWS = 20_000
"""Maximum number of rows of a shard: minutes on a GPU, which a killed process loses."""

FEWEST_ROWS = 500
"""Rows of a shard of a small job: fewer would cost more time to start than to compute."""

SHARDS = 64
"""Number of shards of a job whose shards would otherwise have many rows."""

MOST_BYTES = 2 << 30
"""Maximum number of bytes that a shard reads."""


def shard_sizes(nbytes: Iterable[int], rows: int) -> list[int]:
    """Return the number of rows of each shard of a job.

    Shards have ``MOST_ROWS`` rows; those of a job of fewer than ``SHARDS * MOST_ROWS`` rows
    have fewer, so that several workers have some to do, but not below ``FEWEST_ROWS``.

    Args:
        nbytes: bytes that each row reads.
        rows: the number of rows.
    """
    most = min(MOST_ROWS, max(FEWEST_ROWS, -(-rows // SHARDS)))
    sizes: list[int] = []
    count, size = 0, 0
    for length in nbytes:
        if count and (count >= most or size + length > MOST_BYTES):
            sizes.append(count)
            count, size = 0, 0
        count += 1
        size += length
    return [*sizes, count] if count else sizes
