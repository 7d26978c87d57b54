"""Read and probe many files on several threads with bounded memory."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from likewise.errors import DamagedError
from likewise.formats.archives import FileCollection
from likewise.imaging.parallel import PART_BYTES, map_in_order
from likewise.imaging.probe import MAX_IMAGE_BYTES, BadImage, ImageInfo, probe
from likewise.storage.schema import IMAGES

CHUNK_FILES = 1000
CHUNK_BYTES = PART_BYTES

_HEAVY_BYTES = 64 << 20
"""Batches with more bytes hold one large file, and are read one at a time."""

_INFO_COLUMNS = ("width", "height", "format", "mode", "orientation")


@dataclass(frozen=True)
class ProbedFiles:
    """A batch of files: images, and faults of the other files.

    Attributes:
        images: rows of ``schema.IMAGES``, with the bytes as binary.
        faults: (path, check, detail) of files that are not complete images.
    """

    images: pa.RecordBatch
    faults: list[tuple[str, str, str]]

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.images) + len(self.faults)

    def allowed(self, refused: Collection[str]) -> tuple["ProbedFiles", list[str]]:
        """Return the batch without images of the ``refused`` hashes, and the paths of those."""
        hashes = self.images["sha256"].to_pylist()
        if not refused or not set(hashes) & set(refused):
            return self, []
        is_allowed = pa.array([sha256 not in refused for sha256 in hashes], pa.bool_())
        refused_paths = self.images["image_id"].filter(pc.invert(is_allowed)).to_pylist()
        return ProbedFiles(self.images.filter(is_allowed), self.faults), refused_paths

    def without(self, known: Mapping[str, str]) -> pa.RecordBatch:
        """Return the images that are not in ``known`` (path -> SHA-256), or differ from it."""
        if not known:
            return self.images
        pairs = zip(
            *(self.images[name].to_pylist() for name in ("image_id", "sha256")), strict=True
        )
        is_new = [known.get(path) != sha256 for path, sha256 in pairs]
        return self.images.filter(pl.Series(is_new, dtype=pl.Boolean).to_arrow())


@dataclass(frozen=True)
class _ProbedFilesBuilder:
    """Collects one batch."""

    paths: list[str] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    info: list[ImageInfo] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, path: str, data: bytes) -> None:
        """Probe one file, and add it to the images or the faults."""
        if len(data) > MAX_IMAGE_BYTES:
            self.faults.append((path, "too-large", _size_detail(len(data))))
            return
        try:
            info = probe(data)
        except BadImage as bad:
            self.faults.append((path, bad.check, bad.detail))
            return
        self.paths.append(path)
        self.sha256.append(hashlib.sha256(data).hexdigest())
        self.info.append(info)
        self.data.append(data)

    def done(self) -> ProbedFiles:
        """Return the batch."""
        sizes = [len(data) for data in self.data]
        columns = {
            "image_id": self.paths,
            "sha256": self.sha256,
            **{name: [getattr(f, name) for f in self.info] for name in _INFO_COLUMNS},
            "nbytes": sizes,
        }
        schema = IMAGES.arrow()
        # Converting lists with Arrow is slower, and imports pandas if it is installed.
        arrays = [
            pl.Series(v).to_arrow().cast(schema.field(name).type) for name, v in columns.items()
        ]
        return ProbedFiles(
            pa.record_batch([*arrays, _joined(self.data, sizes)], schema), self.faults
        )


def _joined(data: list[bytes], sizes: list[int]) -> pa.Array:
    """Return ``data`` as a column with a single copy; converting a list makes several."""
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.large_binary(), len(sizes), buffers)


def probe_files(files: FileCollection, listing: pl.DataFrame) -> Iterator[ProbedFiles]:
    """Read and probe the files in ``listing`` (``path``, ``nbytes``) in batches.

    Batches follow the order of ``listing``, or of the archive if it has no random access. Only
    a few batches of about ``CHUNK_BYTES`` are in memory. A file that is too large or cannot be
    read becomes a fault; the others are read.

    Raises:
        DamagedError: an archive without random access is damaged.
    """
    too_large = pl.col("nbytes").fill_null(0) > MAX_IMAGE_BYTES
    if refused := listing.filter(too_large).select("path", "nbytes").rows():
        listing = listing.filter(~too_large)
        faults = [(path, "too-large", _size_detail(size)) for path, size in refused]
        yield _ProbedFilesBuilder(faults=faults).done()
    if not files.can_seek(listing["path"]):
        yield from _in_order(files, listing["path"].to_list())
        return
    chunks = _chunks(listing)
    yield from map_in_order(lambda chunk: _read(files, chunk[0]), chunks, alone=_is_heavy)


def _in_order(files: FileCollection, paths: list[str]) -> Iterator[ProbedFiles]:
    builder, size = _ProbedFilesBuilder(), 0
    for path, data in files.read_many(paths):
        builder.add(path, data)
        size += len(data)
        if size >= CHUNK_BYTES or len(builder.data) >= CHUNK_FILES:
            yield builder.done()
            builder, size = _ProbedFilesBuilder(), 0
    if builder.paths or builder.faults:
        yield builder.done()


def _chunks(listing: pl.DataFrame) -> Iterator[tuple[list[str], int]]:
    """Group the paths into batches of at most ``CHUNK_FILES`` and about ``CHUNK_BYTES``.

    Yields:
        Paths of a batch, and their number of bytes.
    """
    number = pl.int_range(pl.len()) // CHUNK_FILES
    volume = pl.col("nbytes").cum_sum().shift(fill_value=0) // CHUNK_BYTES
    runs = listing.select(pl.struct(number=number, volume=volume).rle_id().alias("run"))
    start = 0
    for length in runs["run"].rle().struct.field("len"):
        part = listing.slice(start, length)
        yield part["path"].to_list(), int(part["nbytes"].sum())
        start += length


def _read(files: FileCollection, paths: list[str]) -> ProbedFiles:
    builder, read = _ProbedFilesBuilder(), set()
    try:
        for path, data in files.read_many(paths):
            builder.add(path, data)
            read.add(path)
    except DamagedError:
        for path in paths:
            if path not in read:
                _read_one(files, path, builder)
    return builder.done()


def _read_one(files: FileCollection, path: str, builder: _ProbedFilesBuilder) -> None:
    try:
        data = files.read(path)
    except DamagedError as error:
        # The text of the error names a folder of this machine; findings are the same anywhere.
        cause = error.__cause__
        reason = cause.strerror if isinstance(cause, OSError) else str(cause or "")
        detail = f"it cannot be read: {' '.join((reason or 'it is damaged').split())}"
        builder.faults.append((path, "unreadable", detail))
    else:
        builder.add(path, data)


def _is_heavy(chunk: tuple[list[str], int]) -> bool:
    """Return whether no other batch should be in memory with this one."""
    return chunk[1] > _HEAVY_BYTES


def _size_detail(size: int) -> str:
    return f"it has {size:,} bytes; at most {MAX_IMAGE_BYTES:,} are read"
