"""Read a data set's source into its tables: images, items and findings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.name_clashes import check_columns
from likewise.errors import DataError, bounded
from likewise.formats import atomic
from likewise.formats.archives import FileCollection
from likewise.formats.paths import StrPath
from likewise.imaging.file_stamps import read_stamps, write_stamps
from likewise.imaging.image_table import SEEN, ImageStore, SyncCounts
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.box_bounds import clip_boxes
from likewise.sources.completeness import difference_findings
from likewise.storage import journal, tables, timings, versions
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_splits
from likewise.storage.schema import FINDINGS, IMAGES, ITEMS, Column
from likewise.storage.sealed_listings import listings_of
from likewise.storage.workspace import Workspace


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
    """

    dataset: str
    images: int
    items: int
    read: int
    kept: int
    removed: int
    findings: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


def ingest(dataset: str, *, strict: bool = False, workspace: StrPath | None = None) -> Ingested:
    """Read the source of ``dataset`` into its images, items and findings tables.

    Only files that are new or changed since the last ingest are read. A damaged image, a file
    whose name does not fit the layout, and an invalid box are left out and become findings. A
    box that extends beyond its image is clipped. Forgotten items (``likewise.forget``) are
    left out by name and by bytes, without a finding.

    Args:
        dataset: name of the data set.
        strict: raise if there is any finding, and change nothing.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the source cannot be read, has no image, or ``strict`` met a finding.

    Example:
        >>> open("emoji/images/0_empty.jpg", "w").close()
        >>> ingested = likewise.ingest("emoji")
        >>> ingested.images, ingested.read, ingested.kept
        (23, 0, 23)
        >>> ingested.findings
        {'empty': 1}
    """
    ws = open_workspace(workspace)
    clock = timings.Clock(ws, f"ingest-{dataset}")
    with journal.exclusive_job(ws, f"ingest-{dataset}"), listings_of(ws, dataset) as listings:
        keep = (ws.table(dataset, "images").name, SEEN)
        staging = journal.Staging(ws, f"ingest-{dataset}", keep=keep)
        taken = _take(ws, dataset, staging)
        items, findings, synced = taken.items, taken.findings, taken.synced
        names = (column.name for column in taken.further)
        check_columns(dataset, names, ws.params.models_of(dataset))
        _refuse(dataset, items, findings, strict=strict)
        written = _written(ws, dataset, staging, taken)
        staging.commit()
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
    """

    items: pl.DataFrame
    further: tuple[Column, ...]
    findings: pl.DataFrame
    synced: SyncCounts
    forgotten: int


def _take(ws: Workspace, dataset: str, staging: journal.Staging) -> _Taken:
    """Read the names, then the files that are new or changed, into the images table."""
    entry, card = ws.dataset(dataset), ws.card(dataset)
    source = SOURCES.build(card.source, f"{dataset}.yaml: source")
    files = source.open(ws.source(entry.path))
    reading = source.read(files, ws.source(entry.annotations))
    differences = difference_findings(reading.items, card.counts)
    reading = replace(reading, findings=pl.concat([reading.findings, differences]))
    gone = takedowns.read(ws.forgotten(dataset))
    unnamed = _named(reading.items, gone.images)
    forgot = _images(reading.items, gone.images)
    if excluded := [*source.exclude, *gone.images]:
        chosen = reading.items.filter(~pl.col("image_id").is_in(excluded))
        reading = replace(reading, items=chosen)
    synced, facts = _synced(ws, dataset, staging, files, reading.items, gone.hashes)
    del files  # frees its listing, which is as large as the items
    unnamed |= _named(reading.items, synced.refused)
    items, findings = _settled(reading, facts, synced.faults)
    reported = findings.filter(~pl.col("path").is_in(sorted(unnamed)))
    return _Taken(items, reading.extra_columns, reported, synced, forgot + len(synced.refused))


def _synced(
    ws: Workspace,
    dataset: str,
    staging: journal.Staging,
    files: FileCollection,
    items: pl.DataFrame,
    refused: set[str],
) -> tuple[SyncCounts, pl.DataFrame]:
    """Update the images table to the images of ``items``; return the counts and the facts."""
    paths = items.select(path="image_id").unique(maintain_order=True)
    wanted = paths.join(files.listing(), on="path", how="left", maintain_order="left")
    store = ImageStore(staging.path(ws.table(dataset, "images")), staging.folder)
    earlier = versions.locate_earlier(ws, ws.table(dataset, "images"))
    stamps = ws.stamps(dataset)
    synced = store.sync(files, wanted, earlier, read_stamps(ws, stamps), refused)
    facts = store.facts("width", "height", "orientation")
    hashes = facts["sha256"] if facts["image_id"].equals(wanted["path"]) else None
    if hashes is None:
        seen = wanted.join(facts.select("sha256", path="image_id"), on="path")
    else:  # the order of a first ingest; a join would copy all columns
        seen = wanted.with_columns(hashes)
    write_stamps(ws, seen, staging.path(stamps))
    return synced, facts


def _named(items: pl.DataFrame, images: Iterable[str]) -> set[str]:
    """Return the ids of ``images``, and of the items in them."""
    image_ids = sorted(images)
    return {*image_ids, *items.filter(pl.col("image_id").is_in(image_ids))["item_id"]}


def _images(items: pl.DataFrame, images: Iterable[str]) -> int:
    """Return the number of ``images`` with items."""
    return items.filter(pl.col("image_id").is_in(sorted(images)))["image_id"].n_unique()


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
            f"{dataset}: {len(findings):,} findings, but --strict allows none: {examples}"
        )
    if items.is_empty():
        raise DataError(f"{dataset}: no file of the source is a complete image: {examples}")
