"""Embed the items of a data set with a model, incrementally."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.base_vectors import NOT_RECORDED
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.catalogue.sharded_table import Parts, TableJob
from likewise.catalogue.text_models import text_tower_digest
from likewise.distributed import (
    Engine,
    ShardCounts,
    ShardPlan,
    choose_engine,
    parse_shard,
    remove_plans,
)
from likewise.distributed.engines.here import Here
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.models.passport import Passport
from likewise.steps.embed.embed_job import EmbedJob
from likewise.steps.embed.embed_rows import (
    EmbedWork,
    adapt,
    compute,
    forget_encoders,
    numerics_of,
    refuse_undecodable,
)
from likewise.storage import journal, tables
from likewise.storage.takedown_lock import no_takedown

__all__ = ["Embedded", "embed"]


@dataclass(frozen=True)
class Embedded:
    """Result of an embed.

    Attributes:
        dataset: name of the data set.
        model: name of the model.
        computed: number of vectors that were computed.
        taken_over: number of vectors that were reused.
        dropped: number of obsolete vectors that were removed.
        numerics: the arithmetics that computed the vectors, as the digest file records them.
            Vectors of several differ by rounding, about 1e-6 in float32.
        shards: the shards of the job; None if all was computed in this process without shards.
    """

    dataset: str
    model: str
    computed: int
    taken_over: int
    dropped: int
    numerics: tuple[str, ...] = ()
    shards: ShardCounts | None = None


def embed(
    dataset: str,
    model: str,
    *,
    recompute: bool = False,
    engine: str | None = None,
    shard: str | None = None,
    workspace: StrPath | None = None,
) -> Embedded:
    """Compute a vector of ``model`` for every distinct content of ``dataset``.

    A content is the pixels of an image, or of a box in it. Vectors of the same content by the
    same model are reused from the last version, from complete shards, and from an interrupted
    run.

    A model of ``functions`` runs the code of its author. An adapter reads the stored vectors of
    its initial model; only contents without one are decoded.

    On a CPU, vectors do not depend on the number of threads, on the engine or on the other
    images. The digest file lists the arithmetics ("numerics") that computed the vectors of the
    table: several, if a table has grown on a CPU and on a GPU.

    Args:
        dataset: name of the data set.
        model: name of the model.
        recompute: compute all vectors again, by one arithmetic.
        engine: who computes: an entry of ``engines`` in params.yaml, or a kind of
            ``likewise.kinds("engines")``. The default is the environment variable
            LIKEWISE_ENGINE, and without it this process.
        shard: "K/N", for process K (0 to N-1) of N: compute every N-th shard of the job and
            commit nothing. A later call without ``shard`` takes all shards over.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no embedding of ``dataset`` by ``model``, or no such
            engine.
        ConfigError: ``shard`` is not K/N.
        MissingArtefactError: the data set was not ingested, or the model not made.
        DataError: images cannot be decoded or shards failed; all other vectors are kept. Or
            the data set has a column with the name of the model, or a function fails.

    Example:
        All vectors are up to date, so none is computed:

        >>> done = likewise.embed("emoji", "tiny")
        >>> done.computed, done.taken_over, done.dropped
        (0, 23, 0)
        >>> done.numerics
        ('cpu float32, 4 images per pass of one thread',)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    part = None if shard is None else parse_shard(shard)
    chosen = choose_engine(ws.params.engines, engine)
    job = EmbedJob(ws, dataset, model, recompute)
    _ = job.ann, job.folder  # refused before anything is computed
    try:
        return _embed(job, chosen) if part is None else _embed_shards(job, chosen, part)
    finally:
        forget_encoders()


def _embed(job: EmbedJob, engine: Engine) -> Embedded:
    """Bring the table up to date, by any engine."""
    ws, passport = job.ws, job.passport
    with journal.exclusive_job(ws, job.name):
        staging = journal.Staging(ws, job.name, keep=(job.path.name,))
        path = staging.path(job.path)
        table = IncrementalTable(path, job.schema, "content")
        kept = table.start(job.earlier, job.wanted["content"], job.is_current)
        table.erase(takedowns.read(ws.forgotten(job.dataset)))
        numerics = _Numerics(table, passport, kept=len(kept.keys))
        adapted = adapt(job, kept.keys, table, numerics.add)
        filled = _table_job(job).fill(table, engine, numerics.add_parts)
        if filled is not None and not isinstance(engine, Here):
            parts = filled.parts.values()
            bad = [image for part in parts for image in part.data["undecodable"]]
            refuse_undecodable(job.dataset, bad)
        present = pl.concat([kept.keys, adapted]) if filled is None else table.keys()
        todo = job.wanted.filter(~pl.col("content").is_in(present.implode()))
        if len(todo):
            numerics.add([numerics_of(passport)])
            compute(job, todo, table)
        table.finish()
        # publish depends on this file, and so on the options of the index of the vectors, and
        # on the text tower of the model.
        digests = replace(
            tables.open_table(path, "").digest(job.contract),
            ann={job.model: {**job.ann.model_dump(), **text_tower_digest(passport)}},
            numerics=() if numerics.names == (NOT_RECORDED,) else numerics.names,
        )
        atomic.write_text(staging.path(ws.digests(job.dataset, job.model)), digests.to_yaml())
        staging.commit()
        remove_plans(ws, job.name)
    shards = None if filled is None else filled.counts
    computed = len(todo) + len(adapted) + (shards.rows if shards else 0)
    reused = len(job.wanted) - computed
    return Embedded(
        job.dataset, job.model, computed, reused, kept.dropped, numerics.names, shards
    )


def _embed_shards(job: EmbedJob, engine: Engine, shard: tuple[int, int]) -> Embedded:
    """Compute the shards of one process of several; nothing is committed."""
    with no_takedown(job.ws, job.dataset, job.name):
        counts = _table_job(job).own_shards(shard, engine)
    return Embedded(job.dataset, job.model, counts.rows, 0, 0, (), counts)


def _table_job(job: EmbedJob) -> TableJob:
    def work(plan: ShardPlan) -> EmbedWork:
        return EmbedWork(str(job.ws.root), job.dataset, job.model, plan.id, job.recompute)

    return TableJob(job.ws, job.name, "content", job.plan, work)


class _Numerics:
    """The arithmetics that computed the vectors of a table, recorded in its metadata."""

    def __init__(self, table: IncrementalTable, passport: Passport, *, kept: int) -> None:
        """Read them; if the templates of the text tower have changed, record the passport."""
        self.names: tuple[str, ...] = ()
        self._table = table
        if kept:
            metadata = tables.open_table(table.path).metadata("vector")
            recorded = metadata.get("numerics")
            self.names = tuple(json.loads(recorded)) if recorded else (NOT_RECORDED,)
            earlier = Passport.from_json(metadata["passport"], table.path.name)
            if earlier.text != passport.text:
                table.set_metadata("vector", {**metadata, "passport": passport.to_json()})

    def add(self, names: Iterable[str]) -> None:
        """Record the arithmetics of rows that are added next."""
        self.names = tuple(sorted({*self.names, *names}))
        self._table.set_metadata("vector", {"numerics": json.dumps(self.names)})

    def add_parts(self, parts: Parts) -> None:
        """Record the arithmetics of the rows of parts."""
        self.add(str(part.data["numerics"]) for part in parts.values())
