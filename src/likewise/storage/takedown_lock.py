"""A lock per data set between take-downs and the work that writes data of its items.

``forget`` also takes the locks of all stages of a data set. This lock is for work that several
processes do at once: shards, indexes that a search builds, ``pull``. It is held from the first
read to the last write, so that nothing that was read before a take-down is written after it.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from likewise.errors import DataError, cannot_write
from likewise.storage.journal import locked
from likewise.storage.workspace import Workspace


@contextmanager
def no_takedown(ws: Workspace, dataset: str, job: str) -> Iterator[None]:
    """Keep take-downs of a data set away while ``job`` reads and writes data of its items.

    Any number of processes can hold the lock at once. On a read-only file system there is no
    lock, because nothing can be taken down there.

    Args:
        ws: the checkout.
        dataset: name of the data set, or of a view of it.
        job: a name of the work, which ``forget`` prints if it has to wait.

    Raises:
        DataError: a take-down is running, or the lock file cannot be written.
    """
    with ExitStack() as stack:
        name = _name(ws, dataset)
        try:
            handle = stack.enter_context(locked(ws, name, fcntl.LOCK_SH | fcntl.LOCK_NB))
            handle.truncate(0)
            handle.write(f"{job} {os.getpid()} {socket.gethostname()}".encode())
        except BlockingIOError as error:
            raise DataError(
                f"a take-down of {ws.params.base(dataset)} is running; wait for it to end"
            ) from error
        except OSError as error:
            if error.errno != errno.EROFS:  # nor can a take-down write to such a checkout
                raise DataError(f"{job}: {cannot_write(error) or error}") from error
        yield


@contextmanager
def no_takedowns(ws: Workspace, datasets: Iterable[str], job: str) -> Iterator[None]:
    """Keep take-downs of several data sets away; see ``no_takedown``."""
    with ExitStack() as locks:
        for dataset in sorted(datasets):
            locks.enter_context(no_takedown(ws, dataset, job))
        yield


@contextmanager
def takedown(ws: Workspace, dataset: str) -> Iterator[None]:
    """Hold the lock of a data set for a take-down.

    Raises:
        DataError: a process works with its items, or the lock file cannot be written.
    """
    with ExitStack() as stack:
        name = _name(ws, dataset)
        try:
            stack.enter_context(locked(ws, name, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise DataError(
                f"{_holder(ws, name)}, and may write items of {dataset}; wait for it to end; "
                "nothing was changed"
            ) from error
        except OSError as error:
            raise DataError(f"forget: {cannot_write(error) or error}") from error
        yield


def _name(ws: Workspace, dataset: str) -> str:
    return f"items-{ws.params.base(dataset)}"


def _holder(ws: Workspace, name: str) -> str:
    """Describe a process that holds the lock: the one that came last, if it still runs."""
    text = ws.lock_file(name).read_text(encoding="utf-8")
    job, _, place = text.partition(" ")
    number, _, host = place.partition(" ")
    with suppress(PermissionError):  # a process of another user exists, too
        try:
            if not host or host == socket.gethostname():
                os.kill(int(number), 0)
        except (ProcessLookupError, ValueError):
            return "another process is running"
    return f"{job} is running in process {number} on {host}"
