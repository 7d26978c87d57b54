"""Loops over arrays, compiled by Numba when they are first called."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """Return ``kernel`` compiled, without the lock of the interpreter.

    Numba is imported late because it takes half a second.
    """
    return cast("Callable[P, R]", _compile(kernel))


@functools.cache
def _compile(kernel: Callable[..., object]) -> object:
    import numba

    try:
        return numba.njit(nogil=True, cache=True)(kernel)
    except (
        RuntimeError
    ):  # No cache folder is writable, neither of the package nor in the home folder.
        return numba.njit(nogil=True)(kernel)
