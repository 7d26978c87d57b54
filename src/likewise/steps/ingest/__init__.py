"""Read a data set's source into its tables: images, items and findings."""

from dataclasses import dataclass, field, replace

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.name_clashes import check_columns
from likewise.distributed import (
    Engine,
    ShardCounts,
    choose_engine,
    parse_shard,
    remove_plans,
)
from likewise.errors import DataError, bounded
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.imaging.file_stamps import write_stamps
from likewise.imaging.image_table import SEEN, ImageStore, SyncCounts
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.box_bounds import clip_boxes
from likewise.steps.ingest.ingest_job import IngestJob, SourceFiles, ids_of
from likewise.steps.ingest.ingest_shards import FilledImages, fill, own_shards
from likewise.storage import journal, tables, timings
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_splits
from likewise.storage.schema import FINDINGS, IMAGES, ITEMS, Column
from likewise.storage.sealed_listings import listings_of
from likewise.storage.takedown_lock import no_takedown
from likewise.storage.workspace import Workspace

__all__ = ["Ingested", "ingest"]


@dataclass(frozen=True)
class Ingested:
    """Result of an ingest.

    Attributes:
        dataset: name of the data set.
        images: number of images in the table.
        items: number of items.
        read: number of images that were read, because they are new or changed.
        kept: number of unchanged images.
        removed: number of images that the source does not have any more.
        findings: check -> number of findings.
        forgotten: number of images of the source that ``forgotten.csv`` excludes.
        shards: the shards of the job; None if all was read in this process without shards.
    """

    dataset: str
    images: int
    items: int
    read: int
    kept: int
    removed: int
    findings: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0
    shards: ShardCounts | None = None


def ingest(
    dataset: str,
    *,
    strict: bool = False,
    engine: str | None = None,
    shard: str | None = None,
    workspace: StrPath | None = None,
) -> Ingested:
    """Read the source of ``dataset`` into its images, items and findings tables.

    Only files that are new or changed since the last ingest are read. A damaged image, a file
    whose name does not fit the layout, and an invalid box are left out and become findings. A
    box that extends beyond its image is clipped. Forgotten items (``likewise.forget``) are
    left out by name and by bytes, without a finding.

    Args:
        dataset: name of the data set.
        strict: raise if there is any finding, and change nothing.
        engine: who reads the images: an entry of ``engines`` in params.yaml, or a kind of
            ``likewise.kinds("engines")``. The default is the environment variable
            LIKEWISE_ENGINE, and without it this process.
        shard: "K/N", for process K (0 to N-1) of N: read every N-th shard of the new files and
            commit nothing. Only ``read`` and ``shards`` of the result are filled. A later call
            without ``shard`` takes all shards over.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: the catalogue has no such data set or engine.
        ConfigError: ``shard`` is not K/N.
        DataError: the source cannot be read, has no image, or ``strict`` met a finding. Or
            shards failed; all others are kept.

    Example:
        >>> open("emoji/images/0_empty.jpg", "w").close()
        >>> ingested = likewise.ingest("emoji")
        >>> ingested.images, ingested.read, ingested.kept
        (23, 0, 23)
        >>> ingested.findings
        {'empty': 1}
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    part = None if shard is None else parse_shard(shard)
    chosen = choose_engine(ws.params.engines, engine)
    job = IngestJob(ws, dataset)
    if part is None:
        return _ingest(job, chosen, strict=strict)
    with no_takedown(ws, dataset, job.name), listings_of(ws, dataset):
        counts = own_shards(job, chosen, part)
    return Ingested(dataset, 0, 0, counts.rows, 0, 0, shards=counts)


def _ingest(job: IngestJob, engine: Engine, *, strict: bool) -> Ingested:
    """Bring the tables up to date, by any engine."""
    ws, dataset = job.ws, job.dataset
    clock = timings.Clock(ws, job.name)
    with journal.exclusive_job(ws, job.name), listings_of(ws, dataset) as listings:
        staging = journal.Staging(ws, job.name, keep=(job.path.name, SEEN))
        taken = _take(job, staging, engine)
        items, findings, synced = taken.items, taken.findings, taken.synced
        names = (column.name for column in taken.further)
        check_columns(dataset, names, ws.params.models_of(dataset))
        _refuse(dataset, items, findings, strict=strict)
        written = _written(ws, dataset, staging, taken)
        staging.commit()
        remove_plans(ws, job.name)
        listings.settle()
    clock.record(len(items))
    return Ingested(
        dataset,
        written["images"].rows,
        len(items),
        synced.read,
        synced.kept,
        synced.removed,
        dict(findings.group_by("check").len().sort("check").iter_rows()),
        taken.forgotten,
        taken.shards,
    )


@dataclass(frozen=True)
class _Taken:
    """Items and findings that were read from the source.

    Attributes:
        items: the items with a whole image, with their content.
        further: columns of items that only this source has.
        findings: all findings, sorted.
        synced: counts of images read, kept and removed.
        forgotten: number of images that were left out because they were taken down.
        shards: the shards of the job, if there are any.
    """

    items: pl.DataFrame
    further: tuple[Column, ...]
    findings: pl.DataFrame
    synced: SyncCounts
    forgotten: int
    shards: ShardCounts | None


def _take(job: IngestJob, staging: journal.Staging, engine: Engine) -> _Taken:
    """Read the names, then the files that are new or changed, into the images table."""
    read = job.read()
    reading, unnamed, forgotten = read.reading, read.unnamed, read.forgotten
    store = ImageStore(staging.path(job.path), staging.folder)
    store.begin(job.earlier, job.gone.hashes)
    filled = fill(job, read, store, engine)
    synced, facts = _synced(job, store, staging, read, filled)
    del read  # frees the listing of its files, which is as large as the items
    unnamed |= ids_of(reading.items, synced.refused)
    items, findings = _settled(reading, facts, synced.faults)
    reported = findings.filter(~pl.col("path").is_in(sorted(unnamed)))
    return _Taken(
        items,
        reading.extra_columns,
        reported,
        synced,
        forgotten + len(synced.refused),
        filled.counts if filled else None,
    )


def _synced(
    job: IngestJob,
    store: ImageStore,
    staging: journal.Staging,
    read: SourceFiles,
    filled: FilledImages | None,
) -> tuple[SyncCounts, pl.DataFrame]:
    """Update the images table to the wanted images; return the counts and the facts."""
    wanted, of_shards = read.wanted, filled.files if filled else None
    synced = store.sync(read.files, wanted, job.stamps(), job.gone.hashes, of_shards)
    if filled:
        synced = replace(
            synced,
            read=synced.read + filled.computed,
            kept=synced.kept - filled.computed,
            removed=synced.removed + filled.replaced,
        )
    facts = store.facts("width", "height", "orientation")
    hashes = facts["sha256"] if facts["image_id"].equals(wanted["path"]) else None
    if hashes is None:
        seen = wanted.join(facts.select("sha256", path="image_id"), on="path")
    else:  # the order of a first ingest; a join would copy all columns
        seen = wanted.with_columns(hashes)
    write_stamps(job.ws, seen, staging.path(job.ws.stamps(job.dataset)))
    return synced, facts


def _written(
    ws: Workspace, dataset: str, staging: journal.Staging, taken: _Taken
) -> dict[str, Digests]:
    """Write the tables of items and findings and the digests of all tables; return these."""
    images = tables.open_table(staging.path(ws.table(dataset, "images")), "")
    written = {
        "images": images.digest(IMAGES),
        "items": tables.write_frame(
            staging.path(ws.table(dataset, "items")), ITEMS, taken.items, taken.further
        ),
        "findings": tables.write_frame(
            staging.path(ws.table(dataset, "findings")), FINDINGS, taken.findings
        ),
    }
    of_splits = digest_splits(taken.items)
    written["items"] = replace(written["items"], splits=of_splits)
    for name, digests in written.items():
        atomic.write_text(staging.path(ws.digests(dataset, name)), digests.to_yaml())
    return written


def _settled(
    reading: SourceResult, facts: pl.DataFrame, faults: list[tuple[str, str, str]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the items with a whole image, boxes clipped to it, and all findings, sorted."""
    fit, misfits = clip_boxes(reading.items, reading, facts)
    findings = pl.concat([reading.findings, misfits, findings_from_rows(faults)])
    return _with_contents(fit, facts), findings.sort("finding_id")


def _with_contents(items: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return the items whose image is in the table, with the content to embed."""
    if items["image_id"].equals(facts["image_id"]):  # a join would copy all columns
        joined = items.with_columns(facts["sha256"])
    else:
        hashes = facts.select("image_id", "sha256")
        joined = items.join(hashes, on="image_id", how="inner", maintain_order="left")
    # The content of a whole image is its hash; without boxes no column of texts is built.
    if joined["box"].null_count() == len(joined):
        return joined.rename({"sha256": "content"})
    corners = pl.col("box").cast(pl.List(pl.Float32)).cast(pl.List(pl.String)).list.join(",")
    part = pl.concat_str("sha256", pl.concat_str(pl.lit("#"), corners))
    return joined.with_columns(content=pl.coalesce(part, "sha256")).drop("sha256")


def _refuse(dataset: str, items: pl.DataFrame, findings: pl.DataFrame, *, strict: bool) -> None:
    examples = bounded(findings["finding_id"], len(findings))
    if strict and len(findings):
        raise DataError(
            f"{dataset}: {counted(len(findings), 'finding')}, but --strict allows none: "
            f"{examples}"
        )
    if items.is_empty():
        raise DataError(f"{dataset}: no file of the source is a complete image: {examples}")
