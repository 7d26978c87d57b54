"""The rows of a plan: a file of Arrow with a batch per shard, whose SHA-256 the plan seals."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa

from likewise.formats.file_hashes import file_sha256


def write_shard_rows(path: Path, rows: pl.DataFrame, sizes: Sequence[int]) -> str:
    """Write the rows of all shards, and copy one shard at a time; return their SHA-256."""
    batches = map(_batch, _cut(rows, sizes))
    first = next(batches)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, first.schema, options=options) as writer,
    ):
        for batch in chain([first], batches):
            writer.write_batch(batch)
    return file_sha256(path)


def read_shard_rows(path: Path, shard: int) -> pl.DataFrame:
    """Read the rows of a shard.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with pa.memory_map(str(path)) as file:
        return pl.DataFrame(pl.from_arrow(pa.ipc.open_file(file).get_batch(shard)))


def rows_digest(path: Path) -> str:
    """Return the SHA-256 of a file; a process that reads many shards computes it once.

    Raises:
        FileNotFoundError: there is no such file.
    """
    facts = path.stat()
    return _known_sha256(
        path, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino
    )


@lru_cache(maxsize=8)
def _known_sha256(path: Path, *_state: int) -> str:
    return file_sha256(path)


def _cut(rows: pl.DataFrame, sizes: Sequence[int]) -> Iterator[pl.DataFrame]:
    start = 0
    for size in sizes:
        yield rows.slice(start, size)
        start += size


def _batch(rows: pl.DataFrame) -> pa.RecordBatch:
    """Return the rows of a shard, at least one, as a batch."""
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.combine_chunks().to_batches()[0]
