"""The engine of a Ray cluster: a task per shard.

A task gets the description of the work and the number of a shard, and returns a ``Done``. Rows,
pixels and vectors are read and written by the worker itself, so that the object store of Ray
holds none of them. The folder of the catalogue has the same path on all nodes.
"""

import logging
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from pydantic import Field

from likewise.distributed.engines.base import Done, Engine, Work, attempt, describe, restore
from likewise.errors import DataError, extras_named

_AHEAD = 2
"""Tasks that are submitted at a time, per shard that is worked on."""

_PATIENCE_SECONDS = 10
_KINDS = ("CPU", "GPU")


class Ray(Engine):
    """Works on the nodes of a Ray cluster.

    Attributes:
        address: ``HOST:PORT`` of the cluster; ``auto`` is that of this node or of RAY_ADDRESS,
            and ``local`` starts one on this machine.
        workers: number of shards to work on at a time, of which twice as many are submitted; by
            default as many as fit the cluster.
        cpus: processors per shard.
        gpus: GPUs per shard; a part of one, such as 0.5, lets two shards share it.
        retries: how often a shard is tried again after its worker or its node has died.
    """

    address: str = Field(default="auto", min_length=1)
    workers: int | None = Field(default=None, ge=1)
    cpus: float = Field(default=1, gt=0)
    gpus: float = Field(default=0, ge=0)
    retries: int = Field(default=3, ge=0)

    def run(self, work: Work, missing: Sequence[int]) -> Iterator[Done]:
        """Submit a task per shard, of which a bounded number waits in the cluster.

        Raises:
            DataError: there is no cluster, or none of its nodes can work on a shard.
        """
        with extras_named():
            import ray

        with _connected(self.address):
            room = self._room()  # Ray would wait without end for a node that is large enough
            most = _AHEAD * (self.workers or room)
            document = describe(work)
            task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries)(
                _work
            )
            waiting = deque(missing)
            shards: dict[Any, int] = {}
            while waiting or shards:
                while waiting and len(shards) < most:
                    shard = waiting.popleft()
                    shards[task.remote(document, shard)] = shard
                for ready in ray.wait(list(shards), num_returns=1)[0]:
                    yield _result(ready, shards.pop(ready))

    def _room(self) -> int:
        """Return how many shards the nodes can work on at a time.

        Raises:
            DataError: no node has the processors and GPUs of a shard.
        """
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        room = sum(self._fits(node) for node in nodes)
        if not room:
            most = {name: max((n.get(name, 0) for n in nodes), default=0) for name in _KINDS}
            raise DataError(
                f"no node of the Ray cluster has {self.cpus:g} processors and {self.gpus:g} "
                f"GPUs for a shard (the most are {most['CPU']:g} and {most['GPU']:g}); edit "
                "cpus and gpus of the engine in params.yaml"
            )
        return room

    def _fits(self, node: dict[str, float]) -> int:
        """Return how many shards a node can work on at a time."""
        needs = {"CPU": self.cpus, "GPU": self.gpus}
        return int(min(node.get(name, 0) // need for name, need in needs.items() if need))


def _work(document: dict[str, Any], shard: int) -> dict[str, Any]:
    """Work on a shard; runs in a worker of Ray, which keeps its modules for the next one."""
    return asdict(attempt(restore(document), shard))


def _result(ready: Any, shard: int) -> Done:
    """Return the end of a task; its worker may have died too often."""
    import ray

    try:
        return Done(**ray.get(ready))
    except ray.exceptions.RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return Done(shard, f"{type(error).__name__}: {lines[0] if lines else ''}"[:500])


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connect this process to a cluster; a connection that exists is used and left.

    Raises:
        DataError: there is no cluster at ``address``.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    with _signals_kept():
        try:
            _check_host(
                os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
            )
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            text = " ".join(str(error).split())[:200]
            raise DataError(
                f"there is no Ray cluster at {address!r} ({text}); start one by "
                "`ray start --head`, or edit the address of the engine in params.yaml"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _check_host(address: str) -> None:
    """Check that something answers at ``HOST:PORT``; Ray would wait for minutes.

    Raises:
        OSError: nothing does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Restore the handler of SIGTERM, which Ray replaces in the main thread."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
