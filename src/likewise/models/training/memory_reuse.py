"""The memory of a training step is kept for the next one."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
"""Names of glibc's options in ``mallopt`` (malloc.h)."""

_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: (1 << 31) - 1, _TOP_PAD: 64 << 20}
_RELEASE = {
    _MMAP_MAX: 65_536,
    _TRIM_THRESHOLD: 64 << 20,
    _TOP_PAD: 0,
    _MMAP_THRESHOLD: 32 << 20,
}
"""glibc's own defaults, with the largest thresholds that it would choose by itself."""


@contextmanager
def reused_memory(device_type: str) -> Iterator[None]:
    """Keep freed memory in this process while a CPU trains; afterwards it is given back.

    A step frees its tensors at its end. glibc gives large blocks back to the system, which
    clears every page when the next step asks for it; ``benchmarks/train.py`` measures what that
    costs. Other C libraries are left as they are.

    Args:
        device_type: type of the device that trains, such as "cpu"; nothing changes on another.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" and device_type == "cpu" else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield
        return
    _set(libc, _KEEP)
    try:
        yield
    finally:
        _set(libc, _RELEASE)
        libc.malloc_trim(0)


def _set(libc: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)
