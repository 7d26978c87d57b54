"""Read a data set's source into its tables: images, items and findings."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from likewise import commits, tables, versions
from likewise.digests import digest_splits
from likewise.errors import DataError, bounded
from likewise.imaging.store import ImageStore
from likewise.schema import FINDINGS, IMAGES, ITEMS
from likewise.sources import SOURCES
from likewise.sources.base import Reading, findings_frame
from likewise.sources.frames import fitted
from likewise.steps import forgotten
from likewise.steps.open import open_workspace


@dataclass(frozen=True)
class Ingested:
    """What an ingest did: images read, kept and removed, and the findings by their check.

    ``forgotten`` counts images of the source that ``forgotten.csv`` keeps out.
    """

    dataset: str
    images: int
    items: int
    read: int
    kept: int
    removed: int
    findings: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


def ingest(dataset: str, *, strict: bool = False, workspace: Path | None = None) -> Ingested:
    """Read the source of ``dataset`` into its images, items and findings tables.

    Only files that are new or changed since the last ingest are read. A file that is not a
    whole image, or whose name breaks the source's grammar, becomes a finding and is left out;
    so does a box that is none; one that leads out of its image is cut (``sources.frames``).
    With ``strict`` any finding stops the ingest and nothing changes. What was taken down
    (``likewise.forget``) is left out, by its name and by its bytes, and is no finding.

    Raises:
        DataError: the source cannot be read, holds no image, or ``strict`` met a finding.
    """
    ws = open_workspace(workspace)
    entry, card = ws.dataset(dataset), ws.card(dataset)
    source = SOURCES.build(card.source, f"{dataset}.yaml: source")
    files = source.open(ws.source(entry.path))
    reading = source.read(files, ws.source(entry.annotations))
    gone = forgotten.read(ws.forgotten(dataset))
    excluded = [*source.exclude, *gone.images]
    chosen = reading.items.filter(~pl.col("image_id").is_in(excluded))
    with commits.alone(ws, f"ingest-{dataset}"):
        staging = commits.Staging(ws, f"ingest-{dataset}", keep=("images.lance", "seen"))
        store = ImageStore(staging.folder)
        paths = chosen.select(path="image_id").unique(maintain_order=True)
        wanted = paths.join(files.listing(), on="path", how="left", maintain_order="left")
        earlier = versions.present(ws, ws.table(dataset, "images"))
        synced = store.sync(files, wanted, earlier, ws.stamps(dataset), gone.hashes)
        unnamed = _named(reading.items, {*gone.images, *synced.refused})
        facts = store.facts("width", "height", "orientation")
        fit, misfits = fitted(chosen, reading, facts)
        items = _with_contents(fit, facts)
        findings = _all_findings(reading, misfits, synced.faults)
        findings = findings.filter(~pl.col("path").is_in(sorted(unnamed)))
        _refuse(dataset, items, findings, strict=strict)

        images = tables.open_table(staging.path(ws.table(dataset, "images")), "")
        written = {
            "images": tables.digest(images, IMAGES),
            "items": tables.write_frame(
                staging.path(ws.table(dataset, "items")), ITEMS, items, reading.further
            ),
            "findings": tables.write_frame(
                staging.path(ws.table(dataset, "findings")), FINDINGS, findings
            ),
        }
        of_splits = digest_splits(items.select("item_id", "label", "split").to_arrow())
        written["items"] = replace(written["items"], splits=of_splits)
        for name, digests in written.items():
            commits.write_text(staging.path(ws.digests(dataset, name)), digests.to_yaml())
        store.stamps(wanted, staging.path(ws.stamps(dataset)))
        staging.commit()
    return Ingested(
        dataset,
        written["images"].rows,
        len(items),
        synced.read,
        synced.kept,
        synced.removed,
        dict(findings.group_by("check").len().sort("check").iter_rows()),
        len(set(reading.items["image_id"]) & unnamed),
    )


def _named(items: pl.DataFrame, images: set[str]) -> set[str]:
    """The ids of ``images``, and of the items in them."""
    return images | set(items.filter(pl.col("image_id").is_in(sorted(images)))["item_id"])


def _with_contents(items: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """The items whose image is in the table, with what of it is embedded."""
    joined = items.join(
        facts.select("image_id", "sha256"), on="image_id", maintain_order="left"
    )
    corners = pl.col("box").cast(pl.List(pl.Float32)).cast(pl.List(pl.String)).list.join(",")
    content = pl.concat_str("sha256", pl.concat_str(pl.lit("#"), corners).fill_null(""))
    return joined.with_columns(content=content)


def _all_findings(
    reading: Reading, misfits: pl.DataFrame, faults: list[tuple[str, str, str]]
) -> pl.DataFrame:
    """The source's findings, those of boxes, and those of files, sorted."""
    return pl.concat([reading.findings, misfits, findings_frame(faults)]).sort("finding_id")


def _refuse(dataset: str, items: pl.DataFrame, findings: pl.DataFrame, *, strict: bool) -> None:
    named = bounded(findings["finding_id"], len(findings))
    if strict and len(findings):
        raise DataError(f"{dataset}: {len(findings):,} findings, and --strict: {named}")
    if items.is_empty():
        raise DataError(f"{dataset}: no file of the source is a whole image: {named}")
