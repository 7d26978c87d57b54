"""The interface of engines, and the call of the work of one shard."""

import dataclasses
import importlib
import os
import socket
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from likewise.errors import LikewiseError
from likewise.registry import Part

_LONGEST_FAULT = 2000
"""Characters of a fault that are kept, so that a ``Done`` stays small."""


class Work(Protocol):
    """A frozen dataclass that computes a shard and writes its part.

    Its fields are texts, numbers, None and flags; ``describe`` can send it as JSON.
    """

    def __call__(self, shard: int, /) -> None:
        """Compute the shard ``shard`` and write its part; also if it is there already.

        Raises:
            LikewiseError: the shard cannot be computed; the message names the reason.
        """
        ...


@dataclass(frozen=True)
class Done:
    """The end of the work of one shard.

    Attributes:
        shard: its number.
        fault: the reason why it failed; "" if its part was written.
        by: the process that worked on it.
    """

    shard: int
    fault: str = ""
    by: str = ""


class Engine(Part, ABC):
    """Calls the work of shards: here, in processes, on other nodes."""

    @abstractmethod
    def run(self, work: Work, missing: Sequence[int]) -> Iterator[Done]:
        """Call ``attempt(work, shard)`` for every shard of ``missing``.

        Args:
            work: the work; it may be sent to other processes by ``describe`` or by pickle.
            missing: the numbers of the shards.

        Yields:
            One ``Done`` per shard, in any order. A shard whose worker was killed is tried
            again; if that fails too, its ``Done`` has a fault.

        Raises:
            LikewiseError: no worker can be started.
        """


def worker_name() -> str:
    """Return the name of this process in records of shards."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def attempt(work: Work, shard: int) -> Done:
    """Call the work of one shard; an error becomes the fault of the result.

    Any other error than a ``LikewiseError`` is a bug: its traceback is printed to stderr, too.
    """
    fault = ""
    try:
        work(shard)
    except LikewiseError as error:
        fault = str(error)
    except Exception as error:  # noqa: BLE001 (other shards do not depend on this one)
        traceback.print_exc()
        fault = f"{type(error).__name__}: {error}"
    return Done(shard, fault[:_LONGEST_FAULT], worker_name())


def describe(work: Work) -> dict[str, Any]:
    """Return the work as a JSON document for another process of this program."""
    kind = type(work)
    fields = dataclasses.asdict(work)  # type: ignore[call-overload]
    return {"module": kind.__module__, "name": kind.__qualname__, "fields": fields}


def restore(document: dict[str, Any]) -> Work:
    """Return the work of a document by ``describe``, which this program has sent."""
    kind = getattr(importlib.import_module(document["module"]), document["name"])
    work: Work = kind(**document["fields"])
    return work
