"""A lock per data set between take-downs and the work that writes data of its items.

``forget`` also takes the locks of all stages of a data set. This lock is for work that several
processes do at once: shards, indexes that a search builds, ``pull``. It is held from the first
read to the last write, so that nothing that was read before a take-down is written after it.
``rename`` and ``remove`` hold it like a take-down: what was read under the old name of a data
set is never written under it afterwards.
"""

import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from likewise.storage.journal import check_process, held
from likewise.storage.workspace import Workspace


@contextmanager
def no_takedown(ws: Workspace, dataset: str, job: str) -> Iterator[None]:
    """Keep take-downs of a data set away while ``job`` reads and writes data of its items.

    Renames and removals of the data set are kept away, too. Any number of processes can hold
    the lock at once. On a read-only file system there is no lock, because nothing can be taken
    down there.

    Args:
        ws: the checkout.
        dataset: name of the data set, or of a view of it.
        job: a name of the work, which ``forget`` prints if it has to wait.

    Raises:
        DataError: a take-down, a rename or a removal is running, or the lock file cannot be
            written.
    """
    if os.statvfs(ws.home).f_flag & os.ST_RDONLY:
        yield
        return

    name = _name(ws, dataset)

    def refusal() -> str:
        return f"{_holder(ws, name)}, and changes {ws.params.base(dataset)}; wait for it to end"

    with held(ws, name, fcntl.LOCK_SH, _by(job), refusal):
        yield


@contextmanager
def no_takedowns(ws: Workspace, datasets: Iterable[str], job: str) -> Iterator[None]:
    """Keep take-downs of several data sets away; see ``no_takedown``."""
    with ExitStack() as locks:
        for dataset in sorted(datasets):
            locks.enter_context(no_takedown(ws, dataset, job))
        yield


@contextmanager
def alone(ws: Workspace, dataset: str, job: str) -> Iterator[None]:
    """Hold the lock of a data set for a take-down, a rename or a removal.

    Args:
        ws: the checkout.
        dataset: name of the data set, or of a view of it.
        job: a name of the work, which other commands print if they are refused.

    Raises:
        DataError: a process works with its items, or the lock file cannot be written.
    """
    name = _name(ws, dataset)

    def refusal() -> str:
        return (
            f"{_holder(ws, name)}, and may write items of {ws.params.base(dataset)}; wait for "
            "it to end; nothing was changed"
        )

    with held(ws, name, fcntl.LOCK_EX, _by(job), refusal):
        yield


def _name(ws: Workspace, dataset: str) -> str:
    return f"items-{ws.params.base(dataset)}"


def _by(job: str) -> tuple[str, str]:
    """Return a job, and what its lock file says of it."""
    return job, f"{job} {os.getpid()} {socket.gethostname()}"


def _holder(ws: Workspace, name: str) -> str:
    """Describe a process that holds the lock: the one that came last, if it still runs."""
    text = ws.lock_file(name).read_text(encoding="utf-8")
    job, _, place = text.partition(" ")
    number, _, host = place.partition(" ")
    with suppress(PermissionError):  # a process of another user exists, too
        try:
            check_process(number, host)
        except (ProcessLookupError, ValueError):
            return "another process is running"
    return f"{job} is running in process {number} on {host}"
