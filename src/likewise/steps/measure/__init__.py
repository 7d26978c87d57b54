"""Measure the pixels of a data set's images. Known files are not measured again."""

from dataclasses import dataclass

import polars as pl
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.catalogue.sharded_table import TableJob
from likewise.distributed import (
    Engine,
    ShardCounts,
    ShardPlan,
    choose_engine,
    parse_shard,
    remove_plans,
)
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.imaging.measure_many import measure_all
from likewise.steps.measure.measure_rows import MeasureJob, MeasureWork, pixel_columns
from likewise.storage import journal, tables, timings
from likewise.storage.schema import PIXELS
from likewise.storage.takedown_lock import no_takedown

__all__ = ["MeasuredImages", "measure"]


@dataclass(frozen=True)
class MeasuredImages:
    """The result of ``measure``.

    Attributes:
        dataset: name of the data set.
        computed: number of files that were decoded and measured.
        taken_over: number of files whose measures were known already.
        dropped: number of old measures that no file of the data set has any more.
        shards: the shards of the job; None if all was computed in this process without shards.
    """

    dataset: str
    computed: int
    taken_over: int
    dropped: int
    shards: ShardCounts | None = None


def measure(
    dataset: str,
    *,
    engine: str | None = None,
    shard: str | None = None,
    workspace: StrPath | None = None,
) -> MeasuredImages:
    """Measure brightness, sharpness and perceptual hash of every distinct file of ``dataset``.

    A file is identified by its SHA-256. Files measured before, also by complete shards or by a
    run that was killed, are not decoded again. A file that cannot be decoded is recorded as
    such.

    Args:
        dataset: name of the data set.
        engine: who computes: an entry of ``engines`` in params.yaml, or a kind of
            ``likewise.kinds("engines")``. The default is the environment variable
            LIKEWISE_ENGINE, and without it this process.
        shard: "K/N", for process K (0 to N-1) of N: compute every N-th shard of the job and
            commit nothing. A later call without ``shard`` takes all shards over.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: the catalogue has no such data set or engine.
        ConfigError: ``shard`` is not K/N.
        MissingArtefactError: the data set was not ingested.
        DataError: shards failed; all others are kept.

    Example:
        >>> measured = likewise.measure("emoji")
        >>> measured.computed, measured.taken_over, measured.dropped
        (23, 0, 0)
        >>> likewise.measure("emoji").computed
        0
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    part = None if shard is None else parse_shard(shard)
    chosen = choose_engine(ws.params.engines, engine)
    job = MeasureJob(ws, dataset)
    if part is None:
        return _measure(job, chosen)
    with no_takedown(ws, dataset, job.name):
        counts = _table_job(job).own_shards(part, chosen)
    return MeasuredImages(dataset, counts.rows, 0, 0, counts)


def _measure(job: MeasureJob, engine: Engine) -> MeasuredImages:
    """Bring the table up to date, by any engine."""
    ws, dataset = job.ws, job.dataset
    with journal.exclusive_job(ws, job.name):
        staging = journal.Staging(ws, job.name, keep=(job.path.name,))
        path = staging.path(job.path)
        table = IncrementalTable(path, job.schema, "sha256")
        kept = table.start(job.earlier, job.wanted["sha256"], job.is_current)
        table.erase(takedowns.read(ws.forgotten(dataset)))
        filled = _table_job(job).fill(table, engine, lambda _: None)
        present = kept.keys if filled is None else table.keys()
        todo = job.wanted.filter(~pl.col("sha256").is_in(present.implode()))
        _compute(job, todo, table)
        table.finish()
        digests = tables.open_table(path, "").digest(PIXELS)
        atomic.write_text(staging.path(ws.pixel_digests(dataset)), digests.to_yaml())
        staging.commit()
        remove_plans(ws, job.name)
    shards = None if filled is None else filled.counts
    computed = len(todo) + (shards.rows if shards else 0)
    return MeasuredImages(dataset, computed, len(job.wanted) - computed, kept.dropped, shards)


def _table_job(job: MeasureJob) -> TableJob:
    def work(plan: ShardPlan) -> MeasureWork:
        return MeasureWork(str(job.ws.root), job.dataset, plan.id)

    return TableJob(job.ws, job.name, "sha256", job.plan, work)


def _compute(job: MeasureJob, todo: pl.DataFrame, table: IncrementalTable) -> None:
    """Measure the files in ``todo`` in this process and append the results to ``table``."""
    names = dict(todo.select("row", "sha256").iter_rows())
    parts = measure_all(job.images, todo["row"].to_list(), todo["nbytes"].to_list())
    with (
        tqdm(total=len(todo), unit="img", desc=f"measure {job.dataset}", disable=None) as bar,
        timings.measured(job.ws, job.name) as watch,
    ):
        for part in parts:
            table.append([names[row] for row, _ in part], pixel_columns(part))
            bar.update(len(part))
        watch.units = len(todo)
