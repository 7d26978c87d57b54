"""The memory of a training step is kept for the next one."""

import platform
import resource
import sys
from pathlib import Path

import pytest
import torch

from likewise.models.training import memory_reuse
from likewise.models.training.memory_reuse import reused_memory

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="needs glibc"
    ),
]

BLOCK = 128 << 20
PAGE = resource.getpagesize()


def allocate(count: int) -> int:
    """Allocate and free a block ``count`` times; return how often the system cleared a page."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        torch.ones(BLOCK // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def held() -> int:
    """Return the bytes of memory that this process holds."""
    return PAGE * int(Path("/proc/self/statm").read_text("ascii").split()[1])


def test_a_step_gets_the_memory_of_the_last_one() -> None:
    before = held()
    with reused_memory("cpu"):
        pages = [allocate(1) for _ in range(16)]  # the first ones find no block of the size
        assert min(pages) < 0.01 * BLOCK / PAGE
        assert held() > before + BLOCK / 2
    assert held() < before + BLOCK / 2, "memory is given back after the training"


def test_a_training_on_a_gpu_leaves_memory_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[object] = []
    monkeypatch.setattr(memory_reuse, "_set", lambda *options: changed.append(options))
    with reused_memory("cuda"):
        pass
    assert changed == []
    with reused_memory("cpu"):
        assert len(changed) == 1
    assert len(changed) == 2
