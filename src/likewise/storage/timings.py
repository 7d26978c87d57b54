"""Measured times of stages on this machine: for information, and never an input of a stage.

``.likewise/timings/<job>.json`` has the last measurements of a job, with a seal. Digests,
stages and reports do not depend on them.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from time import perf_counter

from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.json_documents import parse_json
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.config import Run
from likewise.storage.workspace import Workspace

KEPT = 8
"""Number of measurements that are kept for a job; older ones are dropped."""

_KEY = "timings"


@dataclass(frozen=True)
class Timing:
    """One measurement of a job.

    Attributes:
        units: number of images, rows or steps that were processed.
        seconds: time that they took.
    """

    units: int
    seconds: float


@dataclass
class Stopwatch:
    """The number of units of a job while it runs; the job sets it."""

    units: int = 0


class Clock:
    """The time of a job from the creation of the clock."""

    def __init__(self, ws: Workspace, job: str) -> None:
        """Start the clock."""
        self._ws, self._job, self._began = ws, job, perf_counter()

    def record(self, units: int) -> None:
        """Record the time of ``units``, if there are any."""
        if units > 0:
            record(self._ws, self._job, Timing(units, perf_counter() - self._began))


@contextmanager
def measured(ws: Workspace, job: str) -> Iterator[Stopwatch]:
    """Measure the time of a block, and record it if the block sets a number of units."""
    watch, clock = Stopwatch(), Clock(ws, job)
    yield watch
    clock.record(watch.units)


def record(ws: Workspace, job: str, timing: Timing) -> None:
    """Add a measurement of a job; nothing is written where the folder cannot be."""
    path = ws.timing(job)
    kept = [*read(ws, job), timing][-KEPT:]
    text = json.dumps([asdict(one) for one in kept])
    with suppress(DataError, OSError):
        refuse_links(ws.cache_root, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, seals.sealed_document(ws, _purpose(job), _KEY, text))


def read(ws: Workspace, job: str) -> list[Timing]:
    """Return the measurements of a job by this checkout, the oldest first."""
    path = ws.timing(job)
    if not path.is_file():
        return []
    try:
        text = seals.open_document(ws, path, path.read_bytes(), _purpose(job), _KEY)
        return [Timing(**one) for one in parse_json(text, str(path))]
    except (OSError, DataError, TypeError):
        return []


def images_per_s(ws: Workspace, model: str, datasets: Iterable[str]) -> float | None:
    """Return the speed of embedding by a model, over data sets or views; None: not measured.

    The measurement with the most images counts, because loading takes most of a short one.
    """
    bases = dict.fromkeys(ws.params.base(dataset) for dataset in datasets)
    jobs = (f"embed-{base}-{model}" for base in bases)
    timings = [timing for job in jobs for timing in read(ws, job) if timing.seconds > 0]
    largest = max(timings, key=lambda timing: timing.units, default=None)
    return None if largest is None else largest.units / largest.seconds


def query_ms(ws: Workspace, run: Run) -> float | None:
    """Return the last measured time of a query of a run's index; None: not measured."""
    timings = read(ws, search_job(run.dataset, run.model, run.index))
    return 1000 * timings[-1].seconds / timings[-1].units if timings else None


def stored_job(job: str) -> str:
    """Return the name of the measurements of an embedding that reads stored vectors.

    They take a small part of the time of pixels, so both are kept apart.
    """
    return f"{job}-stored"


def search_job(dataset: str, model: str, index: str) -> str:
    """Return the name of the measurements of single queries of an index."""
    return f"search-{dataset}-{model}-{index}"


def _purpose(job: str) -> str:
    return f"timings/{job}"
