"""Loops over scores that numba compiles: for large galleries, and optional."""

import functools
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from likewise.evaluation.ranking.plain_kernels import Block, Kernel
from likewise.formats.array_types import Float32Array, Int64Array


def is_installed() -> bool:
    """Return whether numba is installed; it is not imported."""
    return find_spec("numba") is not None


@functools.cache
def compiled(kernel: Callable[..., Any]) -> Kernel:
    """Compile a kernel. Numba is imported late because it takes half a second."""
    import numba

    try:
        return cast("Kernel", numba.njit(nogil=True, cache=True)(kernel))
    except (
        RuntimeError
    ):  # No cache folder is writable, neither of the package nor in the home folder.
        return cast("Kernel", numba.njit(nogil=True)(kernel))


def rank_by_counting(  # pragma: no cover (numba)
    chosen: Int64Array, block: Block, ranks: Int64Array
) -> None:
    """Write the ranks of the relevant items of the ``chosen`` rows of a block; 0: excluded."""
    scores, order, begins, ends, offsets_ = block
    # All counts are int32, so that the loops compile to the widest vector instructions.
    one = np.int32(1)
    for i in chosen:
        row, at = scores[i], offsets_[i]
        for item in order[begins[i] : ends[i]]:
            own = row[item]
            rank = one
            if own == -np.inf:
                rank = np.int32(rank - one)
            else:
                before, after = row[:item], row[item + 1 :]
                for j in range(len(before)):
                    rank = np.int32(rank + np.int32(before[j] >= own))
                for j in range(len(after)):
                    rank = np.int32(rank + np.int32(after[j] > own))
            ranks[at] = rank
            at += 1


def keep_best(  # pragma: no cover (numba)
    chosen: Int64Array, scores: Float32Array, rows: Int64Array, best: Float32Array
) -> None:
    """Write the first hits ``rows`` of the ``chosen`` rows of a block, with scores ``best``."""
    width = rows.shape[1]
    for i in chosen:
        row, filled, least = scores[i], 0, -np.inf
        for j in range(len(row)):
            score = row[j]
            if score > least:  # of equal scores, the earlier row stays ahead
                at = min(filled, width - 1)
                while at > 0 and best[i, at - 1] < score:
                    best[i, at], rows[i, at] = best[i, at - 1], rows[i, at - 1]
                    at -= 1
                best[i, at], rows[i, at] = score, j
                filled = min(filled + 1, width)
                if filled == width:
                    least = best[i, width - 1]
