"""Update the images table: read new and changed files only."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.formats.archives import FileCollection
from likewise.formats.atomic import atomic_file
from likewise.imaging.file_stamps import COLUMNS
from likewise.imaging.probe_many import ProbedFiles, probe_files
from likewise.storage import tables
from likewise.storage.schema import IMAGES

SEGMENT_FILES = 50_000
SEGMENT_BYTES = 256 << 20
"""Maximum files and bytes per write; a killed ingest loses at most one such segment."""

SEEN = "seen"
"""Name of the folder with the progress of a killed process."""


@dataclass(frozen=True)
class SyncCounts:
    """Numbers of new or changed, unchanged and removed images; files that are not images."""

    read: int
    kept: int
    removed: int
    faults: list[tuple[str, str, str]]
    """(path, check, detail) of files that are not complete images."""
    refused: list[str]
    """Paths of files whose content must not be stored."""


@dataclass(frozen=True)
class FilesOfShards:
    """Files that shards have read; their rows are in the table.

    Attributes:
        stamps: ``path``, ``nbytes``, ``stamp`` and ``sha256`` of the images.
        faults: (path, check, detail) of files that are not complete images.
        refused: paths of files whose content must not be stored.
    """

    stamps: pl.DataFrame
    faults: list[tuple[str, str, str]]
    refused: list[str]


class ImageStore:
    """An images table that is being updated; a later process can resume the update."""

    def __init__(self, table: Path, folder: Path) -> None:
        """Use the table at ``table``, and store the progress in ``folder``."""
        self.table = table
        self._seen = folder / SEEN

    def begin(self, earlier: Path, refused: Collection[str]) -> None:
        """Begin with the rows of the previous version, or of a killed process.

        Args:
            earlier: path of the previous version of the table, if any; it is linked.
            refused: SHA-256 of contents that must not be stored; they are erased.
        """
        if tables.exists(self.table):
            # A killed process has left both rows of a file that was changed; it is read again.
            ids = self.facts()["image_id"]
            double = ids.filter(ids.is_duplicated()).unique()
            tables.delete_rows(self.table, "image_id", double.to_list())
        elif tables.exists(earlier):
            tables.link_tree(earlier, self.table)
        tables.erase_rows(self.table, "sha256", refused)

    def sync(
        self,
        files: FileCollection,
        wanted: pl.DataFrame,
        stamps: pl.DataFrame,
        refused: Collection[str] = (),
        of_shards: FilesOfShards | None = None,
    ) -> SyncCounts:
        """Make the table contain exactly the ``wanted`` files; call ``begin`` before.

        Files with unchanged size and stamp are not read; files with unchanged content are not
        written.

        Args:
            files: collection that contains the files.
            wanted: ``path``, ``nbytes``, ``stamp`` of the files, in canonical order.
            stamps: sizes and modification times of the files in the previous version.
            refused: SHA-256 of contents that must not be stored.
            of_shards: files that shards have read; they are not read again.
        """
        progress = ReadingProgress(set(refused))
        if of_shards is not None:
            stamps = pl.concat([stamps, of_shards.stamps])
            progress.faults += of_shards.faults
            progress.refused += of_shards.refused
        present = self.facts()
        first_new_fragment = tables.next_fragment(self.table)
        unchanged = self.current(wanted, stamps)
        to_read = wanted.join(unchanged, on="path", how="anti", maintain_order="left")
        if read := [*(path for path, *_ in progress.faults), *progress.refused]:
            to_read = to_read.filter(~pl.col("path").is_in(read))
        to_compare = present.join(to_read, left_on="image_id", right_on="path", how="semi")
        progress.known_hashes |= dict(to_compare.iter_rows())
        self._read(files, to_read, progress)
        same_ids = pl.Series(progress.same, dtype=pl.String).implode()
        unchanged_ids = unchanged["path"].implode()
        gone = present["image_id"].filter(
            ~present["image_id"].is_in(unchanged_ids) & ~present["image_id"].is_in(same_ids)
        )
        tables.delete_rows(self.table, "image_id", gone.to_list(), before=first_new_fragment)
        if tables.exists(self.table):
            tables.remove_old_versions(self.table)
        unchanged_count = len(unchanged) + len(progress.same)
        left_out = len(progress.faults) + len(progress.refused)
        return SyncCounts(
            len(wanted) - unchanged_count - left_out,
            unchanged_count,
            len(gone),
            progress.faults,
            progress.refused,
        )

    def facts(self, *further: str) -> pl.DataFrame:
        """Return ids and hashes of the images, and ``further`` columns; empty without table."""
        return stored_facts(self.table, *further)

    def current(self, wanted: pl.DataFrame, stamps: pl.DataFrame) -> pl.DataFrame:
        """Return the path of wanted files whose row in the table is up to date."""
        killed = [pl.read_ipc(path) for path in sorted(self._seen.glob("*.arrow"))]
        return unchanged_files(wanted, pl.concat([stamps, *killed]), self.facts())

    def _read(
        self, files: FileCollection, to_read: pl.DataFrame, progress: "ReadingProgress"
    ) -> None:
        probed = probe_files(files, to_read)
        schema = tables.lance_schema(IMAGES)
        with tqdm(total=len(to_read), unit="img", desc="read", disable=None) as bar:
            for segment in _segments(progress.new_images(probed, bar.update)):
                rows: list[pl.DataFrame] = []
                tables.write(self.table, schema, _stored_batches(segment, schema, rows))
                seen = pl.concat(rows).rename({"image_id": "path"})
                self._remember(to_read.join(seen, on="path").select(list(COLUMNS)))

    def _remember(self, seen: pl.DataFrame) -> None:
        """Store sizes and stamps of a segment's files atomically."""
        number = len(list(self._seen.glob("*.arrow")))
        with atomic_file(self._seen / f"{number:06d}.arrow") as part:
            seen.write_ipc(part)


def unchanged_files(
    wanted: pl.DataFrame, stamps: pl.DataFrame, present: pl.DataFrame
) -> pl.DataFrame:
    """Return the ``path`` of wanted files whose size and stamp have not changed.

    Args:
        wanted: ``path``, ``nbytes`` and ``stamp`` of the files.
        stamps: the same when the files were read, and the ``sha256`` of their content.
        present: ``image_id`` and ``sha256`` of the rows of the table.
    """
    unchanged = wanted.join(stamps.unique(), on=["path", "nbytes", "stamp"])
    rows = present.select("sha256", path="image_id")
    return (
        unchanged.join(rows, on=["path", "sha256"]).select("path").unique(maintain_order=True)
    )


def stored_facts(table: Path, *further: str) -> pl.DataFrame:
    """Return ids and hashes of an images table, and ``further`` columns; empty without it."""
    names = ["image_id", "sha256", *further]
    parts = [tables.empty_batch(IMAGES.arrow()).select(names)]
    if not tables.exists(table):
        return pl.DataFrame(pl.from_arrow(parts[0]))
    # Batch by batch, because a table of Arrow would be a second copy of millions of rows.
    batches = chain(parts, tables.open_table(table, "").scan(names))
    return pl.concat([pl.DataFrame(pl.from_arrow(part)) for part in batches], rechunk=True)


class ReadingProgress:
    """Collects what is found while files are read.

    Attributes:
        same: ids of images whose content is that of ``known_hashes``.
        faults: (path, check, detail) of files that are not complete images.
        refused: paths of files whose content must not be stored.
        known_hashes: path -> SHA-256 of the stored content.
    """

    def __init__(
        self, refused_hashes: set[str], known_hashes: dict[str, str] | None = None
    ) -> None:
        """Start; images with one of ``refused_hashes`` are not stored."""
        self.same: list[str] = []
        self.faults: list[tuple[str, str, str]] = []
        self.refused: list[str] = []
        self.known_hashes = known_hashes or {}
        self._refused_hashes = refused_hashes

    def new_images(
        self, probed: Iterable[ProbedFiles], count: Callable[[int], object]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the images that are new or changed."""
        for batch in probed:
            count(len(batch))
            allowed, refused = batch.allowed(self._refused_hashes)
            self.refused += refused
            self.faults += allowed.faults
            new_images = allowed.without(self.known_hashes)
            if len(new_images) < len(allowed.images):
                new_ids = set(new_images["image_id"].to_pylist())
                self.same += [
                    i for i in allowed.images["image_id"].to_pylist() if i not in new_ids
                ]
            if len(new_images):
                yield new_images


def _segments(parts: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """Group ``parts`` into segments; consume each segment before the next."""
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


def _stored_batches(
    parts: Iterable[pa.RecordBatch], schema: pa.Schema, rows: list[pl.DataFrame]
) -> Iterator[pa.RecordBatch]:
    """Yield ``parts`` in storage format; append their ids and hashes to ``rows``."""
    for part in parts:
        rows.append(pl.DataFrame(pl.from_arrow(part.select(["image_id", "sha256"]))))
        yield tables.as_blobs(part, schema)
