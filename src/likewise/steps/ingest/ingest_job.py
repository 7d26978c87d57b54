"""The inputs of an ingest: the source, the files that are wanted, and the plan of new ones."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from likewise.catalogue import takedowns
from likewise.distributed import ShardPlan, Unit, make_plan, unit_sizes
from likewise.formats.archives import FileCollection
from likewise.formats.archives.located_files import files_located
from likewise.imaging.file_stamps import read_stamps
from likewise.imaging.image_table import stored_facts, unchanged_files
from likewise.sources import SOURCES
from likewise.sources.base import Source, SourceResult
from likewise.sources.completeness import difference_findings
from likewise.storage import versions
from likewise.storage.workspace import Workspace

_VERSION = "1"
"""Version of the rows that shards write, so that those of another one are not used."""


@dataclass(frozen=True)
class SourceFiles:
    """The items that a source names, and their files; no image was read.

    Attributes:
        files: the files of the source.
        reading: items and findings, without the images that are left out.
        wanted: ``path``, ``nbytes``, ``stamp`` of the images, in the order of their items.
        unnamed: ids of images that were taken down, and of their items; no finding names one.
        forgotten: number of images of the source that were taken down.
    """

    files: FileCollection
    reading: SourceResult
    wanted: pl.DataFrame
    unnamed: set[str]
    forgotten: int


@dataclass(frozen=True)
class IngestJob:
    """The ingest of a data set."""

    ws: Workspace
    dataset: str

    @property
    def name(self) -> str:
        """The name of the job: of its lock, staging folder and plans."""
        return f"ingest-{self.dataset}"

    @property
    def path(self) -> Path:
        """The table of the images."""
        return self.ws.table(self.dataset, "images")

    @property
    def earlier(self) -> Path:
        """The images of the last version."""
        return versions.locate_earlier(self.ws, self.path)

    @cached_property
    def source(self) -> Source:
        """The layout, with the options of the card."""
        return SOURCES.build(self.ws.card(self.dataset).source, f"{self.dataset}.yaml: source")

    @property
    def place(self) -> Path:
        """The folder or archive of the source."""
        return self.ws.source(self.ws.dataset(self.dataset).path)

    @cached_property
    def gone(self) -> takedowns.Record:
        """The record of take-downs."""
        return takedowns.read(self.ws.forgotten(self.dataset))

    def stamps(self) -> pl.DataFrame:
        """Read sizes and times of the files when they were read; as large as the items."""
        return read_stamps(self.ws, self.ws.stamps(self.dataset))

    @property
    def facts(self) -> dict[str, str]:
        """The inputs of a shard other than its files: source, take-downs, version."""
        options = self.source.model_dump_json()
        source = [type(self.source).__name__, options, self.ws.dataset(self.dataset).path]
        return {
            "source": _digest(source),
            "refused": _digest(sorted(self.gone.hashes)),
            "version": _VERSION,
        }

    def read(self) -> SourceFiles:
        """Read names and annotations of the source.

        Raises:
            DataError: the source cannot be read.
        """
        files = self.source.open(self.place)
        annotations = self.ws.source(self.ws.dataset(self.dataset).annotations)
        reading = self.source.read(files, annotations)
        counts = self.ws.card(self.dataset).counts
        differences = difference_findings(reading.items, counts)
        reading = replace(reading, findings=pl.concat([reading.findings, differences]))
        unnamed = ids_of(reading.items, self.gone.images)
        forgotten = _count_images(reading.items, self.gone.images)
        if excluded := [*self.source.exclude, *self.gone.images]:
            chosen = reading.items.filter(~pl.col("image_id").is_in(excluded))
            reading = replace(reading, items=chosen)
        paths = reading.items.select(path="image_id").unique(maintain_order=True)
        wanted = paths.join(files.listing(), on="path", how="left", maintain_order="left")
        return SourceFiles(files, reading, wanted, unnamed, forgotten)

    def plan(self, read: SourceFiles) -> ShardPlan:
        """Make the plan of the files that are new or changed since the last version.

        The rows are in the order in which one process reads them. A shard has whole archives,
        if they are small enough; an archive that is read in one pass is never cut.
        """
        present = stored_facts(self.earlier)
        kept = present.filter(~pl.col("sha256").is_in(sorted(self.gone.hashes)))
        unchanged = unchanged_files(read.wanted, self.stamps(), kept)
        new = read.wanted.join(unchanged, on="path", how="anti", maintain_order="left")
        known = kept.select(path="image_id", known="sha256")
        rows = read.files.located(new["path"]).join(
            known, on="path", how="left", maintain_order="left"
        )
        sizes = unit_sizes(_units(rows))
        return make_plan(self.ws, self.name, facts=self.facts, rows=rows, sizes=sizes)

    def open(self, rows: pl.DataFrame) -> FileCollection:
        """Open the files of a shard; other files are not listed.

        Args:
            rows: rows of the plan.
        """
        with files_located(self.place, rows):
            files = self.source.open(self.place)
        if not files.is_listed:
            files.limit_to(rows)
        return files


def ids_of(items: pl.DataFrame, images: Iterable[str]) -> set[str]:
    """Return the ids of ``images``, and of the items in them."""
    image_ids = sorted(images)
    return {*image_ids, *items.filter(pl.col("image_id").is_in(image_ids))["item_id"]}


def _count_images(items: pl.DataFrame, images: Iterable[str]) -> int:
    """Return the number of ``images`` with items."""
    return items.filter(pl.col("image_id").is_in(sorted(images)))["image_id"].n_unique()


def _units(rows: pl.DataFrame) -> list[Unit]:
    """Return the archives of the rows; one unit if the order of reading mixes archives."""
    runs = rows.select("nbytes", "archive", "one_pass", run=pl.col("archive").rle_id())
    if runs["run"].n_unique() > runs["archive"].n_unique():
        return [Unit(runs["nbytes"].to_list())]
    return [
        Unit(run["nbytes"].to_list(), bool(run["one_pass"][0]))
        for _, run in runs.group_by("run", maintain_order=True)
    ]


def _digest(inputs: list[str]) -> str:
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
