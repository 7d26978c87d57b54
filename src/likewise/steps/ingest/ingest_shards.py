"""Read images in shards: the work of one, and the rows of all in the images table."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.catalogue.sharded_table import Parts, TableJob, stored_rows
from likewise.distributed import (
    Engine,
    ShardCounts,
    ShardPart,
    ShardPlan,
    read_arrays,
    read_plan,
    write_arrays,
)
from likewise.errors import DataError, LikewiseError
from likewise.imaging.file_stamps import COLUMNS
from likewise.imaging.image_table import FilesOfShards, ImageStore, ReadingProgress
from likewise.imaging.probe_many import probe_files
from likewise.steps.ingest.ingest_job import IngestJob, SourceFiles
from likewise.storage import tables
from likewise.storage.schema import IMAGES
from likewise.storage.sealed_listings import listings_of
from likewise.storage.workspace import Workspace

_FILES = "files"
"""Name of the array with what a shard found: a table of Arrow, one row per file."""

_RESULTS = {
    "path": pl.String,
    "nbytes": pl.Int64,
    "stamp": pl.Int64,
    "check": pl.String,
    "detail": pl.String,
    "is_new": pl.Boolean,
    "is_refused": pl.Boolean,
    "sha256": pl.String,
}
"""Its columns; a file without ``sha256`` is not a complete image, or is refused."""


@dataclass(frozen=True)
class IngestWork:
    """The work of one shard: the images of its files.

    Attributes:
        root: the folder of the catalogue.
        dataset: name of the data set.
        plan: the identity of the plan.
    """

    root: str
    dataset: str
    plan: str

    def __call__(self, shard: int) -> None:
        """Read the files of a shard and write its part.

        Raises:
            DataError: a file does not exist any more, or the card or the take-downs have
                changed since the plan.
        """
        job = IngestJob(Workspace(Path(self.root)), self.dataset)
        plan = read_plan(job.ws, job.name, self.plan)
        if plan.facts != job.facts:
            raise DataError(
                f"the card or the take-downs of {self.dataset} have changed since the shards "
                "were planned; run the same command again"
            )
        with plan.begun(shard), listings_of(job.ws, self.dataset):
            rows = plan.rows(shard)
            known = dict(rows.select("path", "known").drop_nulls().iter_rows())
            progress = ReadingProgress(job.gone.hashes, known)
            stored: list[pl.DataFrame] = []
            entries = _stored(plan, job, rows, progress, stored)
            results = _results(rows, progress, stored)
            write_arrays(plan, shard, {_FILES: _as_array(results)}, **entries)


def _stored(
    plan: ShardPlan,
    job: IngestJob,
    rows: pl.DataFrame,
    progress: ReadingProgress,
    stored: list[pl.DataFrame],
) -> dict[str, list[str]]:
    """Write the new images of a shard as fragments; ``stored`` gets their ids and hashes."""
    schema = tables.lance_schema(IMAGES)
    faults: list[LikewiseError] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for images in progress.new_images(probe_files(job.open(rows), rows), _ignore):
                ids = images.select(["image_id", "sha256"])
                stored.append(pl.DataFrame(pl.from_arrow(ids)))
                yield tables.as_blobs(images, schema)
        except LikewiseError as error:  # Lance would report that it cannot write
            faults.append(error)
            raise

    try:
        return stored_rows(plan, schema, batches())
    except DataError as error:
        raise (faults or [error])[0] from error


def _ignore(_: int) -> None:
    """Count nothing: the progress of shards is shown by the run."""


def _results(
    rows: pl.DataFrame, progress: ReadingProgress, stored: Sequence[pl.DataFrame]
) -> pl.DataFrame:
    """Return what became of the files of a shard, a row each."""
    texts = dict.fromkeys(("path", "check", "detail"), pl.String)
    faults = pl.DataFrame(progress.faults, schema=texts, orient="row")
    new = pl.concat(
        [pl.DataFrame(schema=dict.fromkeys(("image_id", "sha256"), pl.String)), *stored]
    )
    joined = rows.join(
        new.rename({"image_id": "path"}), on="path", how="left", maintain_order="left"
    ).join(faults, on="path", how="left", maintain_order="left")
    same = pl.col("path").is_in(progress.same)
    return joined.select(
        "path",
        "nbytes",
        "stamp",
        "check",
        "detail",
        is_new=pl.col("sha256").is_not_null(),
        is_refused=pl.col("path").is_in(progress.refused),
        sha256=pl.when(same).then("known").otherwise("sha256"),
    )


def _as_array(results: pl.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    buffer = io.BytesIO()
    results.write_ipc(buffer)
    return np.frombuffer(buffer.getvalue(), np.uint8)


class StagedImages:
    """The staged images table, to which the images of shards are added.

    Attributes:
        path: the folder of the table.
        replaced: number of rows that images of shards have replaced.
    """

    def __init__(self, job: IngestJob, store: ImageStore, wanted: pl.DataFrame) -> None:
        """Take the table; ``wanted`` are the files that it will have."""
        self.path, self.replaced = store.table, 0
        self._job, self._store, self._wanted = job, store, wanted
        self._new = pl.Series([], dtype=pl.String)

    def keys(self) -> pl.Series:
        """Return the paths of the files whose rows are up to date."""
        return self._store.current(self._wanted, self._job.stamps())["path"]

    def prepare(self, plan: ShardPlan, parts: Parts) -> None:
        """Take the parts whose rows are added next."""
        self._new = _files(plan, parts.values()).filter("is_new")["path"]

    def adopt(self, written: Sequence[tables.WrittenFragments], keys: pl.Series) -> None:
        """Add the images of shards by one commit; earlier rows of their files are removed."""
        new = self._new.filter(self._new.is_in(keys.implode()))
        stored = self._store.facts()["image_id"]
        double = stored.filter(stored.is_in(new.implode()))
        tables.delete_rows(self.path, "image_id", double.to_list())
        tables.add_fragments(self.path, tables.lance_schema(IMAGES), written)
        self.replaced += len(double)


@dataclass(frozen=True)
class FilledImages:
    """The images of complete shards, which are in the staged table.

    Attributes:
        files: all files of these shards.
        counts: the counts of the shards.
        computed: number of images that this call has read.
        replaced: number of earlier images that they have replaced.
    """

    files: FilesOfShards
    counts: ShardCounts
    computed: int
    replaced: int


def fill(
    job: IngestJob, read: SourceFiles, store: ImageStore, engine: Engine
) -> FilledImages | None:
    """Add the images of complete shards to the staged table; see ``TableJob.fill``.

    Raises:
        DataError: shards failed; the images of all others are in the table.
    """
    table = StagedImages(job, store, read.wanted)
    plans: list[ShardPlan] = []

    def plan() -> ShardPlan:
        plans.append(job.plan(read))
        return plans[-1]

    table_job = _table_job(job, plan)
    filled = table_job.fill(table, engine, lambda parts: table.prepare(plans[-1], parts))
    if filled is None:
        return None
    read_files = _files(filled.plan, filled.parts.values())
    computed = _files(filled.plan, [filled.parts[shard] for shard in filled.computed])
    files = FilesOfShards(
        read_files.drop_nulls("sha256").select(list(COLUMNS)),
        read_files.drop_nulls("check").select("path", "check", "detail").rows(),
        read_files.filter("is_refused")["path"].to_list(),
    )
    new = int(computed["is_new"].sum())
    return FilledImages(files, filled.counts, new, table.replaced)


def own_shards(job: IngestJob, engine: Engine, shard: tuple[int, int]) -> ShardCounts:
    """Read the images of the shards of one process of several; nothing is committed.

    Raises:
        DataError: a shard failed; all others are kept.
    """
    return _table_job(job, lambda: job.plan(job.read())).own_shards(shard, engine)


def _table_job(job: IngestJob, plan: Callable[[], ShardPlan]) -> TableJob:
    def work(plan: ShardPlan) -> IngestWork:
        return IngestWork(str(job.ws.root), job.dataset, plan.id)

    return TableJob(job.ws, job.name, "path", plan, work)


def _files(plan: ShardPlan, parts: Iterable[ShardPart]) -> pl.DataFrame:
    """Read what became of the files of some shards."""
    frames = [
        pl.read_ipc(io.BytesIO(read_arrays(plan, part)[_FILES].tobytes())) for part in parts
    ]
    return pl.concat([pl.DataFrame(schema=_RESULTS), *frames])
