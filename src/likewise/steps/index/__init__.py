"""Build an index of a data set's vectors, store it, and measure it."""

from pathlib import Path

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.kept_indexes import Indexed
from likewise.distributed import (
    Engine,
    ShardCounts,
    choose_engine,
    parse_shard,
    plans_of,
    remove_plans,
)
from likewise.distributed.engines.here import Here
from likewise.formats.paths import StrPath
from likewise.retrieval.indexes.benchmark import Probes
from likewise.retrieval.indexes.exact import Exact
from likewise.steps.index.index_shards import IndexJob, ShardedFill
from likewise.storage import journal, timings
from likewise.storage.takedown_lock import no_takedown

__all__ = ["index"]


def index(
    dataset: str,
    model: str,
    name: str,
    *,
    engine: str | None = None,
    shard: str | None = None,
    workspace: StrPath | None = None,
) -> Indexed:
    """Build the index ``name`` of the vectors of ``model``, store it, and measure it.

    Recall and latency are measured against exact search, with random items of the data set as
    queries, each without itself as a hit. They are stored for information only, in
    ``.likewise/indexes/<dataset>/<model>/<name>/facts.json``.

    The file of an IVF index is the same to the last byte, whoever computes its shards.

    Args:
        dataset: name of the data set.
        model: name of the model.
        name: name of the index in params.yaml.
        engine: who computes: an entry of ``engines`` in params.yaml, or a kind of
            ``likewise.kinds("engines")``. The default is the environment variable
            LIKEWISE_ENGINE, and without it this process.
        shard: "K/N", for process K (0 to N-1) of N: encode every N-th shard of the vectors and
            build nothing. A later call without ``shard`` takes all shards over.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, model, index or engine.
        ConfigError: the options of the index are invalid, or do not suit the vectors; or
            ``shard`` is not K/N, or shards cannot build this kind of index.
        MissingArtefactError: the data set is not published, or not with this model.
        DataError: another process is building the index, the folder is not writable, or shards
            failed; all other shards are kept.

    Example:
        >>> built = likewise.index("emoji", "tiny", "exact")
        >>> built.items, built.measured.recall
        (23, 1.0)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    part = None if shard is None else parse_shard(shard)
    chosen = choose_engine(ws.params.engines, engine)
    job = IndexJob(ws, dataset, model, name)
    with no_takedown(ws, dataset, job.name):
        if part is not None:
            return _own_shards(job, chosen, part)
        if engine is not None and not isinstance(chosen, Here):
            _ = job.need_options  # LIKEWISE_ENGINE does not refuse other kinds
        return _index(job, chosen)


def _index(job: IndexJob, engine: Engine) -> Indexed:
    """Build the index, store it and measure it."""
    ws, dataset, model, name = job.ws, job.dataset, job.model, job.index
    is_here, stored, filled = isinstance(engine, Here), job.stored, list[ShardCounts]()

    def fill(file: Path) -> None:
        filled.append(ShardedFill(job, engine).write(file))

    with journal.exclusive_job(ws, job.name):
        by_shards = not is_here or bool(plans_of(ws, job.name))
        sharded = by_shards and job.options is not None
        built = stored.build_current(keep=True, fill=fill if sharded else None)
        remove_plans(ws, job.name)
        vectors = stored.vectors()
        probes = Probes(vectors, Exact().build(vectors))
        facts = stored.record(probes.measure(built, stored.nbytes()))
    if facts.measured is not None:
        search = timings.search_job(dataset, model, name)
        timings.record(ws, search, timings.Timing(1, facts.measured.ms / 1000))
    rows, shards = vectors.rows, filled[0] if filled else None
    return Indexed(dataset, model, name, "current", rows, rows, "", facts.measured, shards)


def _own_shards(job: IndexJob, engine: Engine, shard: tuple[int, int]) -> Indexed:
    """Encode the shards of one process of several; no index is built."""
    _ = job.need_options
    done = job.stored.is_current()
    counts = ShardCounts(0, 0, 0) if done else ShardedFill(job, engine).own(shard)
    rows, state = job.vectors.rows, "current" if done else "stale"
    command = "" if done else job.stored.command
    covered = rows if done else 0
    return Indexed(
        job.dataset, job.model, job.index, state, covered, rows, command, None, counts
    )
