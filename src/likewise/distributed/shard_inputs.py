"""Inputs of a plan that are arrays: files in its folder, which workers map into memory."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from likewise.distributed.shard_plan import ShardPlan
from likewise.formats import atomic
from likewise.formats.array_types import AnyArray
from likewise.formats.paths import refuse_links

ARRAYS = "arrays"
"""The fact of a plan with the SHA-256 of its arrays, see ``inputs_digest``."""

_FOLDER = "inputs"
_SMALL = 4096
"""Bytes of a file up to which it is read: nothing can be mapped of an empty array."""


def inputs_digest(arrays: Mapping[str, AnyArray]) -> str:
    """Return the SHA-256 of arrays: names, types, shapes and values."""
    hasher = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        hasher.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        hasher.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return hasher.hexdigest()


def write_inputs(plan: ShardPlan, arrays: Mapping[str, AnyArray]) -> None:
    """Write arrays into the folder of a plan, whose fact ``ARRAYS`` has their digest.

    Raises:
        DataError: a file cannot be written.
    """
    for name, array in arrays.items():
        path = plan.folder / _FOLDER / f"{name}.npy"
        refuse_links(plan.ws.home, path)
        with atomic.atomic_file(path) as part, part.open("wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def read_inputs(plan: ShardPlan) -> dict[str, AnyArray]:
    """Map the arrays of a plan into memory.

    Raises:
        DamagedError: they are not those that were planned.
    """
    folder = plan.folder / _FOLDER
    refuse_links(plan.ws.home, folder / "any.npy")
    try:
        arrays = {path.stem: _mapped(path) for path in folder.glob("*.npy")}
    except (OSError, ValueError):
        arrays = {}
    if inputs_digest(arrays) != plan.facts.get(ARRAYS):
        raise plan.damaged(folder)
    return arrays


def _mapped(path: Path) -> AnyArray:
    mode = None if path.stat().st_size <= _SMALL else "r"
    array: AnyArray = np.load(path, mmap_mode=mode, allow_pickle=False)  # type: ignore[arg-type]
    return array
