"""Fill an index in shards: it is trained once, and each shard encodes a run of vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.distributed import (
    Engine,
    ShardCounts,
    ShardPlan,
    array_parts,
    discarded_shards,
    make_plan,
    own_shards,
    read_arrays,
    read_note,
    read_plan,
    run_missing,
    write_arrays,
    write_note,
)
from likewise.errors import ConfigError, DataError
from likewise.formats import atomic
from likewise.formats.array_types import FloatArray, Int64Array
from likewise.formats.file_hashes import file_sha256
from likewise.formats.paths import refuse_links
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes import faiss, faiss_shards
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.indexes.faiss import Faiss
from likewise.storage import artefacts, journal, tables
from likewise.storage.workspace import Workspace

_TRAINED = "trained"
"""File of the trained index in the folder of a plan, and the note with its SHA-256."""

_MOST_SHARDS = 256


@dataclass(frozen=True)
class IndexJob:
    """An index of params.yaml over the vectors of a data set."""

    ws: Workspace
    dataset: str
    model: str
    index: str

    @property
    def name(self) -> str:
        """The name of the job: of its lock and plans."""
        return artefacts.index_job(self.dataset, self.model, self.index)

    @cached_property
    def opened(self) -> Dataset:
        """The data set."""
        opened = Dataset(self.ws, self.dataset)
        opened.need_model(self.model)
        return opened

    @cached_property
    def stored(self) -> CachedIndex:
        """The index and its place in the cache."""
        return CachedIndex(self.ws, self.opened, self.model, self.index)

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors that are published now."""
        return self.stored.vectors()

    @cached_property
    def options(self) -> Faiss | None:
        """The options of the index; None if shards cannot fill it."""
        options, vectors = self.stored.options(), self.vectors
        if not isinstance(options, Faiss):
            return None
        try:
            able = faiss_shards.is_shardable(options, vectors.rows, vectors.dim)
        except (RuntimeError, MemoryError) as error:
            raise options.fault(error, vectors.rows, vectors.dim) from error
        return options if able else None

    @property
    def need_options(self) -> Faiss:
        """The options of an index that shards can fill.

        Raises:
            ConfigError: shards cannot fill it.
        """
        if self.options is None:
            raise ConfigError(
                f"params.yaml: indexes.{self.index}: only faiss indexes of the kind IVF with "
                "flat, SQ or PQ codes are computed in shards; run the command without --shard "
                "and --engine"
            )
        return self.options

    @property
    def facts(self) -> dict[str, str]:
        """The inputs of the index: options, model, and the files of the vectors."""
        return {
            "index": self.stored.fingerprint(self.need_options),
            "table": tables.manifest_hash(self.opened.published),
        }

    def plan(self) -> ShardPlan:
        """Make the plan of all vectors; a shard has whole parts of ``faiss.ADDED`` vectors."""
        rows = pl.DataFrame({"row": np.arange(self.vectors.rows, dtype=np.uint32)})
        parts = -(-len(rows) // faiss.ADDED)
        size = faiss.ADDED * max(1, -(-parts // _MOST_SHARDS))
        sizes = [min(size, len(rows) - start) for start in range(0, len(rows), size)]
        return make_plan(self.ws, self.name, facts=self.facts, rows=rows, sizes=sizes)


@dataclass(frozen=True)
class IndexWork:
    """The work of one shard: the cells and codes of its vectors.

    Attributes:
        root: the folder of the catalogue.
        dataset: name of the data set.
        model: name of the model.
        index: name of the index.
        plan: the identity of the plan.
    """

    root: str
    dataset: str
    model: str
    index: str
    plan: str

    def __call__(self, shard: int) -> None:
        """Encode the vectors of a shard and write its part.

        Raises:
            DataError: the vectors or the options have changed since the plan.
        """
        job = IndexJob(Workspace(Path(self.root)), self.dataset, self.model, self.index)
        plan = read_plan(job.ws, job.name, self.plan)
        if plan.facts != job.facts:
            raise DataError(
                f"the vectors of {self.dataset} or the options of {self.index} have changed "
                "since the shards were planned; run the same command again"
            )
        with plan.begun(shard):
            rows = plan.rows(shard)["row"].to_numpy().astype(np.int64)
            index = _read_trained(plan)
            cells = faiss_shards.encode(job.need_options, index, _blocks(job.vectors, rows))
            write_arrays(plan, shard, cells.arrays())


def _blocks(vectors: Vectors, rows: Int64Array) -> Iterator[FloatArray]:
    for start in range(0, len(rows), faiss.ADDED):
        yield vectors.stored.take(rows[start : start + faiss.ADDED])


@dataclass(frozen=True)
class ShardedFill:
    """Fills an index by the shards of a plan.

    Attributes:
        job: the index.
        engine: who computes.
    """

    job: IndexJob
    engine: Engine

    def own(self, shard: tuple[int, int]) -> ShardCounts:
        """Compute the shards of process K of N: those whose number modulo N is K.

        Raises:
            DataError: a shard failed; all others are kept.
        """
        plan = self.job.plan()
        return self._compute(plan, own_shards(plan, shard))

    def write(self, file: Path) -> ShardCounts:
        """Compute all missing shards, and write the index that they fill.

        Raises:
            DataError: shards failed; all others are kept.
        """
        plan = self.job.plan()
        counts = self._compute(plan, plan.shards)
        parts = array_parts(plan).values()
        cells = (faiss_shards.Cells(**read_arrays(plan, part)) for part in parts)
        faiss.save(faiss_shards.merge(_read_trained(plan), cells), file)
        forget_trained()
        return replace(counts, discarded=discarded_shards(plan))

    def _compute(self, plan: ShardPlan, shards: Sequence[int]) -> ShardCounts:
        """Compute those of ``shards`` that are missing."""
        job, before = self.job, array_parts(plan)
        if not before.keys() >= set(shards):
            _train(job, plan)
        work = IndexWork(str(job.ws.root), job.dataset, job.model, job.index, plan.id)
        return run_missing(plan, work, self.engine, shards, before)


def _train(job: IndexJob, plan: ShardPlan) -> None:
    """Train the index of a plan, unless another process has; that one is waited for.

    Raises:
        ConfigError: the options do not suit the vectors.
        DataError: the file cannot be written.
    """
    options, vectors = job.need_options, job.vectors
    with journal.turn(job.ws, f"{job.name}-train"):
        if read_note(plan, _TRAINED) and _trained_file(plan).is_file():
            return
        try:
            index = options.trained(vectors)
        except (RuntimeError, MemoryError) as error:
            raise options.fault(error, vectors.rows, vectors.dim) from error
        path = _trained_file(plan)
        with atomic.atomic_file(path) as part:
            faiss_shards.write_index(index, part)
        write_note(plan, _TRAINED, {"sha256": file_sha256(path)})


def _read_trained(plan: ShardPlan) -> Any:
    """Return the trained index of a plan.

    Raises:
        DamagedError: its file is missing, or another one than this checkout has written.
    """
    path = _trained_file(plan)
    note = read_note(plan, _TRAINED)
    if not path.is_file() or file_sha256(path) != note.get("sha256"):
        raise plan.damaged(path)
    return _opened(str(path), str(note["sha256"]))


@lru_cache(maxsize=1)
def _opened(path: str, sha256: str) -> Any:
    """Read a trained index; a process that computes many shards reads it once."""
    del sha256
    return faiss_shards.read_index(Path(path))


def forget_trained() -> None:
    """Free the trained index that this process keeps in memory."""
    _opened.cache_clear()


def _trained_file(plan: ShardPlan) -> Path:
    path = plan.folder / _TRAINED
    refuse_links(plan.ws.home, path)
    return path
