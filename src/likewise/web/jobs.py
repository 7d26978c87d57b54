"""Jobs in the background and the events of a server.

A job is one function of this package with checked arguments; no text of a request is ever part
of a command.
"""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from likewise.web.answers import failure

State = Literal["waiting", "running", "done", "failed"]

_KEPT = 50

_MOST_LINES = 2_000
"""Number of lines of a log; the first ones are dropped."""

Result = dict[str, Any] | None
"""Facts that a job returns to clients."""

Progress = Callable[[float | None, str], None]
"""Reports the share that is done (0 to 1, or None) and the present step."""


@dataclass(frozen=True)
class Job:
    """A job as clients see it; see ``Jobs.start`` for the fields."""

    id: str
    kind: str
    dataset: str
    model: str | None
    index: str | None
    state: State = "waiting"
    done: float | None = None
    text: str = ""
    error: dict[str, Any] | None = None
    result: Result = None


@dataclass(frozen=True)
class Event:
    """An event: its number, its name and its content for JSON."""

    number: int
    name: str
    content: dict[str, Any]


class Jobs:
    """The last jobs, and a log of events that streams read from any number on."""

    def __init__(self) -> None:
        """Begin without jobs; one thread runs them in order."""
        self._jobs: dict[str, Job] = {}
        self._logs: dict[str, list[str]] = {}
        self._dropped: dict[str, int] = {}
        self._stops: list[Callable[[], object]] = []
        self._closed = False
        self._events: deque[Event] = deque(maxlen=1000)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="web-jobs")

    def start(self, job: Job, work: Callable[[Progress], Result]) -> Job:
        """Run ``work`` in the background; an equal job that is not finished is used instead.

        Args:
            job: kind, data set, model and index; its id is replaced.
            work: the function to run; it gets a function that reports progress.
        """
        with self._lock:
            for other in self._jobs.values():
                if other.state in ("waiting", "running") and _subject(other) == _subject(job):
                    return other
            job = replace(job, id=str(next(self._numbers)))
            self._jobs[job.id] = job
            self._logs[job.id], self._dropped[job.id] = [], 0
            for old in [i for i, j in self._jobs.items() if j.error or j.state == "done"]:
                if len(self._jobs) > _KEPT:
                    del self._jobs[old], self._logs[old], self._dropped[old]
        self._changed(job)
        self._pool.submit(self._run, job, work)
        return job

    def all(self) -> list[dict[str, Any]]:
        """Return the last jobs for JSON, the first one first."""
        with self._lock:
            return [asdict(job) for job in self._jobs.values()]

    def log(self, job_id: str, after: int = 0) -> tuple[dict[str, Any], list[str], int] | None:
        """Return a job for JSON and the lines of its log; None if it is not known.

        Args:
            job_id: id of the job.
            after: number of lines that the caller has; only later ones are returned.

        Returns:
            The job, the lines that are kept, and the number of all lines.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return None
            lines, dropped = self._logs[job_id], self._dropped[job_id]
            return asdict(job), lines[max(0, after - dropped) :], dropped + len(lines)

    def on_close(self, stop: Callable[[], object]) -> None:
        """Call ``stop`` when the server ends, as for a process that a job has started.

        If it has ended already, while the process began, ``stop`` is called at once.
        """
        with self._lock:
            closed = self._closed
            self._stops.append(stop)
        if closed:
            stop()

    def publish(self, name: str, content: dict[str, Any]) -> None:
        """Add an event to the log."""
        with self._lock:
            self._events.append(Event(next(self._numbers), name, content))

    def events_after(self, number: int) -> list[Event]:
        """Return the events after ``number``, in order."""
        with self._lock:
            return [event for event in self._events if event.number > number]

    @property
    def last_number(self) -> int:
        """The number of the last event; 0 before the first."""
        with self._lock:
            return self._events[-1].number if self._events else 0

    def close(self) -> None:
        """Start no further jobs, and end the processes of running ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            stops, self._stops = self._stops, []
            self._closed = True
        for stop in stops:
            stop()

    def _run(self, job: Job, work: Callable[[Progress], Result]) -> None:
        def progress(done: float | None, text: str) -> None:
            with self._lock:
                lines = self._logs[job.id]
                lines.append(text)
                self._dropped[job.id] += len(lines[:-_MOST_LINES])
                del lines[:-_MOST_LINES]
            self._changed(replace(job, state="running", done=done, text=text))

        self._changed(replace(job, state="running", text="started"))
        try:
            result = work(progress)
        except Exception as error:  # noqa: BLE001 (bugs are logged under a number)
            self._changed(replace(job, state="failed", error=_as_error(error)))
        else:
            self._changed(replace(job, state="done", done=1.0, result=result))

    def _changed(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
        self.publish("job", asdict(job))


def _subject(job: Job) -> tuple[str, str, str | None, str | None]:
    return job.kind, job.dataset, job.model, job.index


def _as_error(error: Exception) -> dict[str, Any]:
    import json

    content: dict[str, Any] = json.loads(bytes(failure(error).body))
    return content
