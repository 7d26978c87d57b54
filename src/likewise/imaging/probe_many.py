"""Read and probe many files on several threads, a bounded part at a time."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from likewise.formats.archives import Files
from likewise.imaging.parallel import PART_BYTES, in_order
from likewise.imaging.probe import BadImage, Facts, probe
from likewise.schema import IMAGES

CHUNK_FILES = 1000
CHUNK_BYTES = PART_BYTES

_PROBED = ("width", "height", "format", "mode", "orientation")


@dataclass(frozen=True)
class Intake:
    """A part of the files: those that are images, and what is wrong with the others.

    Attributes:
        images: rows of ``schema.IMAGES``, their bytes as plain binary.
        faults: (path, check, detail) each.
    """

    images: pa.RecordBatch
    faults: list[tuple[str, str, str]]

    def __len__(self) -> int:
        """How many files were looked at."""
        return len(self.images) + len(self.faults)

    def allowed(self, refused: Collection[str]) -> tuple["Intake", list[str]]:
        """The same without the images of these hashes, and the paths of those."""
        hashes = self.images["sha256"].to_pylist()
        if not refused or not set(hashes) & set(refused):
            return self, []
        good = pa.array([sha256 not in refused for sha256 in hashes], pa.bool_())
        bad = self.images["image_id"].filter(pc.invert(good)).to_pylist()
        return Intake(self.images.filter(good), self.faults), bad

    def without(self, known: Mapping[str, str]) -> pa.RecordBatch:
        """The images whose ``known`` hash is not theirs."""
        if not known:
            return self.images
        pairs = zip(
            *(self.images[name].to_pylist() for name in ("image_id", "sha256")), strict=True
        )
        new = [known.get(path) != sha256 for path, sha256 in pairs]
        return self.images.filter(pl.Series(new, dtype=pl.Boolean).to_arrow())


@dataclass(frozen=True)
class _Part:
    """An intake in the making."""

    paths: list[str] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, path: str, data: bytes) -> None:
        """Probe one file and file it under images or faults."""
        try:
            facts = probe(data)
        except BadImage as bad:
            self.faults.append((path, bad.check, bad.detail))
            return
        self.paths.append(path)
        self.sha256.append(hashlib.sha256(data).hexdigest())
        self.facts.append(facts)
        self.data.append(data)

    def done(self) -> Intake:
        """All that was added."""
        sizes = [len(data) for data in self.data]
        columns = {
            "image_id": self.paths,
            "sha256": self.sha256,
            **{name: [getattr(f, name) for f in self.facts] for name in _PROBED},
            "nbytes": sizes,
        }
        schema = IMAGES.arrow()
        # From lists Arrow itself is slower, and imports pandas first, where that is installed.
        arrays = [
            pl.Series(v).to_arrow().cast(schema.field(name).type) for name, v in columns.items()
        ]
        return Intake(
            pa.record_batch([*arrays, _joined(self.data, sizes)], schema), self.faults
        )


def _joined(data: list[bytes], sizes: list[int]) -> pa.Array:
    """``data`` as a column, by one copy: the conversion of a list makes several."""
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.large_binary(), len(sizes), buffers)


def take_in(files: Files, wanted: pl.DataFrame) -> Iterator[Intake]:
    """Read and probe the ``wanted`` (path, nbytes) of ``files``, part by part.

    Parts come in the order of ``wanted``, or of the archive where that can be read only from
    its beginning. At most a few parts of about ``CHUNK_BYTES`` are in memory.
    """
    if not files.reaches(wanted["path"]):
        yield from _in_order(files, wanted["path"].to_list())
        return
    yield from in_order(lambda paths: _read(files, paths), _chunks(wanted))


def _in_order(files: Files, paths: list[str]) -> Iterator[Intake]:
    part, size = _Part(), 0
    for path, data in files.read_many(paths):
        part.add(path, data)
        size += len(data)
        if size >= CHUNK_BYTES or len(part.data) >= CHUNK_FILES:
            yield part.done()
            part, size = _Part(), 0
    if part.paths or part.faults:
        yield part.done()


def _chunks(wanted: pl.DataFrame) -> Iterator[list[str]]:
    """The paths in runs of at most ``CHUNK_FILES`` and about ``CHUNK_BYTES``."""
    number = pl.int_range(pl.len()) // CHUNK_FILES
    volume = pl.col("nbytes").cum_sum().shift(fill_value=0) // CHUNK_BYTES
    runs = wanted.select(pl.struct(number=number, volume=volume).rle_id().alias("run"))
    start = 0
    for length in runs["run"].rle().struct.field("len"):
        yield wanted["path"].slice(start, length).to_list()
        start += length


def _read(files: Files, paths: list[str]) -> Intake:
    part = _Part()
    for path, data in files.read_many(paths):
        part.add(path, data)
    return part.done()
