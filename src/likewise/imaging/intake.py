"""Read and probe many files, in worker processes where that helps, a bounded part at a time."""

import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field

from likewise.files import Files
from likewise.imaging.probe import BadImage, Facts, probe

CHUNK_FILES = 250
CHUNK_BYTES = 1 << 20
FEW = 500
"""Up to so many files are read faster here than processes start."""


@dataclass(frozen=True)
class Intake:
    """A part of the files: those that are images, and what is wrong with the others."""

    paths: list[str] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    """(path, check, detail)"""

    def add(self, path: str, data: bytes) -> None:
        """Probe one file and file it under images or faults."""
        try:
            facts = probe(data)
        except BadImage as bad:
            self.faults.append((path, bad.check, bad.detail))
            return
        self.paths.append(path)
        self.sha256.append(hashlib.sha256(data).hexdigest())
        self.facts.append(facts)
        self.data.append(data)

    def without(self, known: Mapping[str, str]) -> "Intake":
        """The images whose ``known`` hash is not theirs; the faults are left out."""
        new = [n for n, path in enumerate(self.paths) if known.get(path) != self.sha256[n]]
        if len(new) == len(self.paths):
            return self
        return Intake(
            paths=[self.paths[n] for n in new],
            sha256=[self.sha256[n] for n in new],
            facts=[self.facts[n] for n in new],
            data=[self.data[n] for n in new],
        )


def take_in(files: Files, wanted: list[tuple[str, int]]) -> Iterator[Intake]:
    """Read and probe the ``wanted`` (path, bytes) of ``files``, part by part.

    Parts come in the order of ``wanted``, or of the archive where that can be read only from
    its beginning. At most a few parts of ``CHUNK_BYTES`` are in memory.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    paths = [path for path, _ in wanted]
    if len(wanted) <= FEW or not files.reaches(paths):
        yield from _in_order(files, paths)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: deque[Future[Intake]] = deque()
        try:
            for chunk in _chunks(wanted):
                pending.append(pool.submit(_read, files.part(chunk), chunk))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _in_order(files: Files, paths: list[str]) -> Iterator[Intake]:
    part, size = Intake(), 0
    for path, data in files.read_many(paths):
        part.add(path, data)
        size += len(data)
        if size >= CHUNK_BYTES or len(part.data) >= CHUNK_FILES:
            yield part
            part, size = Intake(), 0
    if part.paths or part.faults:
        yield part


def _chunks(wanted: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for path, nbytes in wanted:
        if chunk and (size + nbytes > CHUNK_BYTES or len(chunk) >= CHUNK_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(path)
        size += nbytes
    if chunk:
        yield chunk


def _read(files: Files, paths: list[str]) -> Intake:
    part = Intake()
    for path, data in files.read_many(paths):
        part.add(path, data)
    return part
