"""The images table: take in files that are new or changed, keep the rest as it lies."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.formats.archives import Files
from likewise.imaging.probe_many import Intake, take_in
from likewise.schema import IMAGES
from likewise.storage import tables

SEGMENT_FILES = 50_000
SEGMENT_BYTES = 256 << 20
"""So much is written at a time; a killed ingest loses at most one such segment."""

SEEN = "seen"
"""The name of the folder of what a killed process had read."""

_STAMPS = {"path": pl.String, "nbytes": pl.Int64, "stamp": pl.Int64, "sha256": pl.String}


@dataclass(frozen=True)
class Synced:
    """How many images are new or changed, as before, and gone; what is no image, or refused."""

    read: int
    kept: int
    removed: int
    faults: list[tuple[str, str, str]]
    """(path, check, detail) of files that are not whole images."""
    refused: list[str]
    """Paths of files whose very bytes are not to be here."""


class ImageStore:
    """An images table in the making, with which a later process can go on."""

    def __init__(self, table: Path, folder: Path) -> None:
        """Name the table, and the folder of what is known of its rows meanwhile."""
        self.table = table
        self._seen = folder / SEEN

    def sync(
        self,
        files: Files,
        wanted: pl.DataFrame,
        earlier: Path,
        stamps: Path,
        refused: Collection[str] = (),
    ) -> Synced:
        """Make the table hold the ``wanted`` files (path, nbytes, stamp) and no others.

        A file that looks as it did is not read; one that reads as it did is not written.

        Args:
            files: where they are read from.
            wanted: their paths, sizes and stamps, in canonical order.
            earlier: the table's last version, if there is one; it is linked, not copied.
            stamps: what the files looked like when that version was made.
            refused: the SHA-256 of files that are not to be in the table, whatever their names.
        """
        if not tables.exists(self.table) and tables.exists(earlier):
            tables.link_tree(earlier, self.table)
        tables.expunge(self.table, "sha256", refused)
        there = self.facts()
        boundary = tables.next_fragment(self.table)
        known = self._known(wanted, stamps)
        fresh = wanted.join(known, on="path", how="anti", maintain_order="left")
        again = there.join(fresh, left_on="image_id", right_on="path", how="semi")
        reading = _Reading(dict(again.iter_rows()), set(refused))
        self._read(files, fresh, reading)
        same = pl.Series(reading.same, dtype=pl.String).implode()
        kept = known["path"].implode()
        gone = there["image_id"].filter(
            ~there["image_id"].is_in(kept) & ~there["image_id"].is_in(same)
        )
        tables.drop(self.table, "image_id", gone.to_list(), before=boundary)
        if tables.exists(self.table):
            tables.settle(self.table)
        unchanged = len(known) + len(reading.same)
        left_out = len(reading.faults) + len(reading.refused)
        return Synced(
            len(wanted) - unchanged - left_out,
            unchanged,
            len(gone),
            reading.faults,
            reading.refused,
        )

    def facts(self, *further: str) -> pl.DataFrame:
        """The images' ids and hashes, and ``further`` columns; empty where there is none."""
        names = ["image_id", "sha256", *further]
        if not tables.exists(self.table):
            return pl.DataFrame(pl.from_arrow(tables.nothing(IMAGES.arrow()).select(names)))
        return tables.read(tables.open_table(self.table, ""), names)

    def _known(self, wanted: pl.DataFrame, stamps: Path) -> pl.DataFrame:
        """The path of every wanted file that looks as when it was read into the table."""
        stored = [
            path for path in (stamps, *sorted(self._seen.glob("*.arrow"))) if path.is_file()
        ]
        frames = [pl.read_ipc(path) for path in stored]
        looked = pl.concat([pl.DataFrame(schema=_STAMPS), *frames])
        there = self.facts().rename({"image_id": "path"})
        same = wanted.join(looked.unique(), on=["path", "nbytes", "stamp"])
        return (
            same.join(there, on=["path", "sha256"]).select("path").unique(maintain_order=True)
        )

    def _read(self, files: Files, fresh: pl.DataFrame, reading: "_Reading") -> None:
        parts = take_in(files, fresh)
        schema = tables.lance_schema(IMAGES)
        with tqdm(total=len(fresh), unit="img", desc="read", disable=None) as bar:
            for segment in _segments(reading.new(parts, bar.update)):
                rows: list[pl.DataFrame] = []
                tables.write(self.table, schema, _stored(segment, schema, rows))
                seen = pl.concat(rows).rename({"image_id": "path"})
                self._remember(fresh.join(seen, on="path").select(list(_STAMPS)))

    def _remember(self, seen: pl.DataFrame) -> None:
        """Keep what the files of a segment looked like, whole or not at all."""
        self._seen.mkdir(exist_ok=True)
        number = len(list(self._seen.glob("*.arrow")))
        half = self._seen / "half"
        seen.write_ipc(half)
        half.replace(self._seen / f"{number:06d}.arrow")


def write_stamps(wanted: pl.DataFrame, facts: pl.DataFrame, path: Path) -> None:
    """Write what the ``wanted`` files that are in ``facts`` look like into ``path``."""
    hashes = facts.select("sha256", path="image_id")
    wanted.join(hashes, on="path").select(list(_STAMPS)).write_ipc(path)


class _Reading:
    """What is found while files are read: those that are as in the table, and the faults."""

    def __init__(self, there: dict[str, str], not_here: set[str]) -> None:
        self.same: list[str] = []
        self.faults: list[tuple[str, str, str]] = []
        self.refused: list[str] = []
        self._there = there
        self._not_here = not_here

    def new(
        self, parts: Iterable[Intake], seen: Callable[[int], object]
    ) -> Iterator[pa.RecordBatch]:
        """The images of ``parts`` that are not in the table as they are."""
        for whole in parts:
            seen(len(whole))
            part, refused = whole.allowed(self._not_here)
            self.refused += refused
            self.faults += part.faults
            fresh = part.without(self._there)
            if len(fresh) < len(part.images):
                new = set(fresh["image_id"].to_pylist())
                self.same += [i for i in part.images["image_id"].to_pylist() if i not in new]
            if len(fresh):
                yield fresh


def _segments(parts: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """``parts`` in runs of about a segment's size; use up each run before the next."""
    for first in parts:
        yield _up_to_a_segment(chain([first], parts))


def _up_to_a_segment(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    files = size = 0
    for part in parts:
        yield part
        files += len(part)
        size += part.nbytes
        if files >= SEGMENT_FILES or size >= SEGMENT_BYTES:
            return


def _stored(
    parts: Iterable[pa.RecordBatch], schema: pa.Schema, rows: list[pl.DataFrame]
) -> Iterator[pa.RecordBatch]:
    """``parts`` as the table stores them; ``rows`` gets what each image is called and is."""
    for part in parts:
        rows.append(pl.DataFrame(pl.from_arrow(part.select(["image_id", "sha256"]))))
        yield tables.stored(part, schema)
