"""Results of shards that are arrays: a file for each shard, whose SHA-256 its part has."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from likewise.distributed.shard_plan import ShardPlan
from likewise.distributed.shard_records import ShardPart
from likewise.errors import DamagedError
from likewise.formats import atomic
from likewise.formats.array_types import AnyArray
from likewise.formats.paths import refuse_links

_ARRAYS, _DIGEST = "arrays", "sha256"


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
    path = plan.folder / _ARRAYS / f"{shard}.npz"
    refuse_links(plan.ws.home, path)
    atomic.write_bytes(path, buffer.getvalue())
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    plan.write_part(shard, {**results, _DIGEST: digest})


def array_parts(plan: ShardPlan, shards: Iterable[int] | None = None) -> dict[int, ShardPart]:
    """Return the parts, of all shards or of some, whose arrays are on disk, in order."""
    folder, parts = plan.folder / _ARRAYS, plan.parts(shards)
    return {n: part for n, part in parts.items() if (folder / f"{n}.npz").is_file()}


def read_arrays(plan: ShardPlan, part: ShardPart) -> dict[str, AnyArray]:
    """Read the arrays of a shard.

    Raises:
        DamagedError: the file is missing, or is another one than the part names.
    """
    path = plan.folder / _ARRAYS / f"{part.shard}.npz"
    refuse_links(plan.ws.home, path)
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != part.data.get(_DIGEST):
        raise DamagedError(
            f"{plan.ws.relative(path)} is missing or damaged; to compute the shards of "
            f"{plan.job} again, run: rm -r {plan.ws.relative(plan.folder)}"
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
