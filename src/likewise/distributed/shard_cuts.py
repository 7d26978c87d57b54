"""The sizes of shards: a function of the rows alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_ROWS = 20_000
"""Maximum number of rows of a shard: minutes on a GPU, which a killed process loses."""

FEWEST_ROWS = 500
"""Rows of a shard of a small job: fewer would cost more time to start than to compute."""

FEWEST_FILES = 5_000
"""Rows of such a shard if a row costs 0.1 ms, as a file that is read; a shard costs 30 ms."""

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
    return _cut(nbytes, _most_rows(rows, FEWEST_ROWS))


@dataclass(frozen=True)
class Unit:
    """Neighbouring rows that are best read by one process, such as an archive.

    Attributes:
        nbytes: bytes that each row reads.
        is_whole: True if a shard that has one of the rows has all of them.
    """

    nbytes: Sequence[int]
    is_whole: bool = False


def unit_sizes(units: Sequence[Unit]) -> list[int]:
    """Return the number of rows of each shard of a job whose rows are in units.

    A shard has as many units as it may have rows and bytes; see ``shard_sizes``, with
    ``FEWEST_FILES`` as the bound of small jobs. A larger unit is cut into shards of its own,
    unless it is whole.

    Example:
        >>> unit_sizes([Unit([7] * 3_000), Unit([7] * 3_000), Unit([7] * 1_000)])
        [3000, 4000]
        >>> unit_sizes([Unit([7] * 3_000), Unit([7] * 9_000)])
        [3000, 5000, 4000]
    """
    most = _most_rows(sum(len(unit.nbytes) for unit in units), FEWEST_FILES)
    sizes: list[int] = []
    count, size = 0, 0
    for unit in units:
        rows, nbytes = len(unit.nbytes), sum(unit.nbytes)
        if count and (count + rows > most or size + nbytes > MOST_BYTES):
            sizes.append(count)
            count, size = 0, 0
        if rows > most or nbytes > MOST_BYTES:
            sizes += [rows] if unit.is_whole else _cut(unit.nbytes, most)
        else:
            count, size = count + rows, size + nbytes
    return [*sizes, count] if count else sizes


def _most_rows(rows: int, fewest: int) -> int:
    return min(MOST_ROWS, max(fewest, -(-rows // SHARDS)))


def _cut(nbytes: Iterable[int], most: int) -> list[int]:
    sizes: list[int] = []
    count, size = 0, 0
    for length in nbytes:
        if count and (count >= most or size + length > MOST_BYTES):
            sizes.append(count)
            count, size = 0, 0
        count += 1
        size += length
    return [*sizes, count] if count else sizes


def even_sizes(count: int, nbytes: int) -> list[int]:
    """Return the number of units of each shard, for units of equal size.

    Args:
        count: number of units, at least 1.
        nbytes: bytes that a unit reads.

    Example:
        >>> even_sizes(130, 1_000_000)[-3:]
        [3, 3, 1]
    """
    most = min(max(MOST_BYTES // nbytes, 1), -(-count // SHARDS))
    whole, rest = divmod(count, most)
    return [most] * whole + [rest] * bool(rest)
