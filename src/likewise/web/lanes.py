"""Lanes: how many jobs of a kind run at once, how many may wait, and for how long."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from likewise.formats.counted_nouns import counted
from likewise.web.answers import RefusedError

T = TypeVar("T")


@dataclass(frozen=True)
class Lane:
    """The limits of one lane.

    Attributes:
        threads: number of jobs that run at once.
        waiting: number of jobs that may wait.
        seconds: time after which a request is answered without a result.
    """

    threads: int
    waiting: int
    seconds: float


LANES = {
    "table": Lane(2, 200, 30),
    "search": Lane(1, 60, 60),
    "encode": Lane(1, 20, 120),
    "pictures": Lane(max(2, os.cpu_count() or 2), 500, 30),
    "slow": Lane(1, 20, 120),
    "write": Lane(1, 100, 60),
    "jobs": Lane(1, 50, 3600),
}
"""The lanes by name. One encoder at a time: more threads only wait for each other. One write at
a time: each waits for the lock of its file."""


class Lanes:
    """Run functions in the threads of lanes."""

    def __init__(self) -> None:
        """Create the lanes; threads start when they are first used."""
        self._pools = {
            name: ThreadPoolExecutor(lane.threads, thread_name_prefix=f"web-{name}")
            for name, lane in LANES.items()
        }
        self._active = dict.fromkeys(LANES, 0)

    async def run(self, name: str, function: Callable[..., T], *arguments: object) -> T:
        """Run ``function(*arguments)`` in a lane and return its value.

        Raises:
            RefusedError: 503; the lane is full, or the function takes too long.
        """
        lane = LANES[name]
        if self._active[name] >= lane.threads + lane.waiting:
            raise _busy(
                f"{counted(self._active[name], 'request of this kind', 'is', 'are')} waiting"
            )
        self._active[name] += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pools[name], function, *arguments)
        work.add_done_callback(lambda _: self._leave(name))
        try:
            return await asyncio.wait_for(asyncio.shield(work), lane.seconds)
        except TimeoutError as error:
            work.add_done_callback(_read_result)
            raise _busy(f"no answer within {lane.seconds:g} seconds") from error

    def close(self) -> None:
        """Let running functions end, and start no others."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, name: str) -> None:
        self._active[name] -= 1


def _read_result(work: "asyncio.Future[T]") -> None:
    """Read the error of a function that nobody waits for, so that asyncio does not log it."""
    if not work.cancelled():
        work.exception()


def _busy(what: str) -> RefusedError:
    return RefusedError(503, "Busy", f"the server is busy: {what}", wait=2)
