"""Results of shards that are arrays: a file for each shard, whose SHA-256 its part has.

The name of the file has the first digits of the SHA-256. If two processes compute one shard,
its part therefore always names a file that was written before it.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likewise.distributed.shard_plan import ShardPlan
from likewise.distributed.shard_records import ShardPart
from likewise.formats import atomic
from likewise.formats.array_types import AnyArray
from likewise.formats.paths import refuse_links

_ARRAYS, _DIGEST = "arrays", "sha256"
_NAME_DIGITS = 16


def write_arrays(
    plan: ShardPlan, shard: int, arrays: Mapping[str, AnyArray], **results: Any
) -> None:
    """Write the arrays of a shard, and then its part.

    Args:
        plan: the plan.
        shard: the number of the shard.
        arrays: name -> array of numbers.
        results: further results of the shard, as JSON.

    Raises:
        DataError: a file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy: also allow_pickle
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    atomic.write_bytes(_path(plan, shard, digest), buffer.getvalue())
    plan.write_part(shard, {**results, _DIGEST: digest})


def array_parts(plan: ShardPlan, shards: Iterable[int] | None = None) -> dict[int, ShardPart]:
    """Return the parts, of all shards or of some, whose arrays are on disk, in order."""
    parts = plan.parts(shards)
    return {n: part for n, part in parts.items() if _path_of(plan, part).is_file()}


def read_arrays(plan: ShardPlan, part: ShardPart) -> dict[str, AnyArray]:
    """Read the arrays of a shard.

    Raises:
        DamagedError: the file is missing, or is another one than the part names.
    """
    path = _path_of(plan, part)
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != part.data.get(_DIGEST):
        raise plan.damaged(path)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _path_of(plan: ShardPlan, part: ShardPart) -> Path:
    return _path(plan, part.shard, str(part.data.get(_DIGEST, "")))


def _path(plan: ShardPlan, shard: int, digest: str) -> Path:
    path = plan.folder / _ARRAYS / f"{shard}-{digest[:_NAME_DIGITS]}.npz"
    refuse_links(plan.ws.home, path)
    return path
