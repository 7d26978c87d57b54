"""The engine of several processes of this machine, one per GPU where there are GPUs."""

import json
import os
import selectors
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from pydantic import Field

from likewise.distributed.engines.base import Done, Engine, Work, describe
from likewise.errors import DataError

_MOST_BY_DEFAULT = 8
"""Maximum number of processes if params.yaml names none: each needs 1.5 GB for torch."""

_GPUS = Path("/proc/driver/nvidia/gpus")
"""One entry per GPU, where the driver of NVIDIA is loaded."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"


class Processes(Engine):
    """Works in several processes of this machine.

    Attributes:
        workers: number of processes; by default one per GPU, or without GPUs one per
            processor, 8 at most.
        retries: how often a shard is tried again after its process was killed.
    """

    workers: int | None = Field(default=None, ge=1)
    retries: int = Field(default=1, ge=0)

    def run(self, work: Work, missing: Sequence[int]) -> Iterator[Done]:
        """Give every process one shard at a time; replace a process that was killed.

        Raises:
            DataError: the processes end before they can work.
        """
        gpus = visible_gpus()
        count = min(self.workers or len(gpus) or default_workers(), len(missing))
        waiting, tries = deque(missing), Counter[int]()
        with selectors.DefaultSelector() as selector, _Workers(work, count, gpus) as workers:
            for place in range(count):
                _give(workers.start(place), waiting, selector)
            while selector.get_map():
                for key, _ in selector.select():
                    worker: _Worker = key.data
                    done = worker.answer()
                    selector.unregister(key.fileobj)
                    if done is None:
                        fault = worker.fault()
                        tries[worker.shard] += 1
                        if tries[worker.shard] <= self.retries:
                            waiting.appendleft(worker.shard)
                        else:
                            done = Done(worker.shard, fault, worker.name)
                        if waiting:
                            _give(workers.start(worker.place), waiting, selector)
                    else:
                        _give(worker, waiting, selector)
                    if done is not None:
                        yield done


def default_workers() -> int:
    """Return the number of processes on a machine without GPUs."""
    return min(len(_cores()) or os.cpu_count() or 1, _MOST_BY_DEFAULT)


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    names = os.environ.get(_VISIBLE)
    if names is not None:
        return [name for name in names.split(",") if name.strip() not in ("", "-1")]
    if not _GPUS.is_dir():
        return []
    return [str(number) for number, _ in enumerate(_GPUS.iterdir())]


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _give(worker: "_Worker", waiting: deque[int], selector: selectors.BaseSelector) -> None:
    """Give a worker the next shard; without one, end it."""
    if not waiting:
        worker.end()
        return
    worker.give(waiting.popleft())
    selector.register(worker.answers, selectors.EVENT_READ, worker)


class _Workers:
    """The processes of one run; all of them end with it."""

    def __init__(self, work: Work, count: int, gpus: Sequence[str]) -> None:
        self._work, self._count, self._gpus = describe(work), count, gpus
        self._started: list[_Worker] = []

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._started:
            worker.kill()

    def start(self, place: int) -> "_Worker":
        """Start the process ``place`` of ``count``, with its share of processors and GPUs."""
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        if self._gpus:
            environment[_VISIBLE] = self._gpus[place % len(self._gpus)]
        cores = _cores()
        share = cores[place :: self._count] if self._count <= len(cores) else []
        worker = _Worker(place, environment, share, self._work)
        self._started.append(worker)
        return worker


class _Worker:
    """One process that computes one shard after the other."""

    def __init__(
        self,
        place: int,
        environment: dict[str, str],
        cores: Sequence[int],
        work: dict[str, Any],
    ) -> None:
        """Start the process ``place`` on some processors and send it the work."""
        self.place, self.shard, self._works = place, -1, False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "likewise.distributed.shard_worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.name = f"process {self._process.pid}"
        self._shards = cast("IO[bytes]", self._process.stdin)
        self.answers = cast("IO[bytes]", self._process.stdout)
        if cores:  # its libraries, which it has not loaded yet, start as many threads
            with suppress(ProcessLookupError):
                os.sched_setaffinity(self._process.pid, cores)
        self._send(work)

    def give(self, shard: int) -> None:
        """Send a shard to the process."""
        self.shard = shard
        self._send(shard)

    def answer(self) -> Done | None:
        """Read the answer that is ready; None if the process has ended."""
        line = self.answers.readline()
        if not line.endswith(b"\n"):
            return None
        self._works = True
        return Done(**json.loads(line))

    def fault(self) -> str:
        """Return why the process has ended.

        Raises:
            DataError: it did not end by a signal, so that another one would end too.
        """
        code = self._process.wait()
        if code >= 0 and not self._works:
            raise DataError(
                f"a worker ended with exit code {code} before it computed a shard; its error "
                "is above"
            )
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"its process ended {how}; with signal 9, the memory may be too small"

    def end(self) -> None:
        """Let the process end."""
        self._shards.close()

    def kill(self) -> None:
        """End the process at once, and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._shards.close()
        self.answers.close()

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError):  # it has ended, which the missing answer shows
            self._shards.write(json.dumps(message).encode() + b"\n")
