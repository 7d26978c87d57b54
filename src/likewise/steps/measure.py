"""Measure the pixels of a data set's images, only those that were not measured yet."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.formats.paths import StrPath
from likewise.imaging.measure_many import MeasuredRows, measure_all
from likewise.imaging.pixel_statistics import VERSION
from likewise.schema import PIXELS
from likewise.storage import artefacts, journal, tables, versions

SAVED_SECONDS = 15.0
"""A killed measure loses at most so much work."""

_MEASURED = "phash"
"""The column whose metadata say by which version of the measures the table was made."""


@dataclass(frozen=True)
class MeasuredImages:
    """What a measure did: files decoded, taken over from before, and dropped as obsolete."""

    dataset: str
    computed: int
    taken_over: int
    dropped: int


def measure(dataset: str, *, workspace: StrPath | None = None) -> MeasuredImages:
    """Measure brightness, sharpness and perceptual hash of every distinct file of ``dataset``.

    A file that is known by its SHA-256, from the last version or from a run that was killed,
    is not decoded again. One that cannot be decoded is recorded as such.

    Raises:
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: it was not ingested.
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    schema = tables.lance_schema(PIXELS, {_MEASURED: {"version": VERSION}})
    job = f"measure-{dataset}"
    with journal.alone(ws, job):
        staging = journal.Staging(ws, job, keep=(ws.table(dataset, "pixels").name,))
        table = staging.path(ws.table(dataset, "pixels"))
        images = versions.present(ws, ws.table(dataset, "images"))
        wanted = _files(images, artefacts.table(ws, dataset, "images").command)
        earlier = versions.present(ws, ws.table(dataset, "pixels"))
        ready, dropped = _take_over(table, earlier, wanted["sha256"])
        tables.expunge(table, "sha256", takedowns.read(ws.forgotten(dataset)).hashes)
        todo = wanted.filter(~pl.col("sha256").is_in(ready.implode()))
        _compute(images, todo, _Saver(table, schema), dataset)
        if tables.exists(table):
            tables.settle(table)
        digests = tables.digest(tables.open_table(table, ""), PIXELS)
        journal.write_text(staging.path(ws.pixel_digests(dataset)), digests.to_yaml())
        staging.commit()
    return MeasuredImages(dataset, len(todo), len(ready), dropped)


def _files(images: Path, command: str) -> pl.DataFrame:
    """Every distinct file, and the first row of the images table that holds it, in order."""
    table = tables.open_table(images, command)
    rows = tables.read(table, ["image_id", "sha256", "nbytes"]).with_row_index("row")
    return rows.sort("image_id").unique("sha256", keep="first").sort("row")


def _take_over(table: Path, earlier: Path, wanted: pl.Series) -> tuple[pl.Series, int]:
    """Begin with the measures that are still right, of a killed run or of the last version.

    Returns the files that they are of, and how many others there were.
    """
    if not _same_make(table):
        shutil.rmtree(table, ignore_errors=True)
        if not _same_make(earlier):
            return wanted.clear(), 0
        tables.link_tree(earlier, table)
    there = tables.read(tables.open_table(table, ""), ["sha256"])["sha256"]
    right = there.is_in(wanted.implode())
    tables.drop(table, "sha256", there.filter(~right).to_list())
    return there.filter(right), int((~right).sum())


def _same_make(table: Path) -> bool:
    if not tables.exists(table):
        return False
    column = tables.open_table(table, "").schema.field(_MEASURED)
    return bool((column.metadata or {}).get(b"version") == VERSION.encode())


def _compute(images: Path, todo: pl.DataFrame, saver: "_Saver", dataset: str) -> None:
    """Measure the files in ``todo`` and save what is found as it comes."""
    names = dict(todo.select("row", "sha256").iter_rows())
    parts = measure_all(images, todo["row"].to_list(), todo["nbytes"].to_list())
    with tqdm(total=len(todo), unit="img", desc=f"measure {dataset}", disable=None) as bar:
        for part in parts:
            saver.add([names[row] for row, _ in part], part)
            bar.update(len(part))
    saver.save()


class _Saver:
    """Appends measures to the staged table, as many at a time as some seconds bring."""

    def __init__(self, table: Path, schema: pa.Schema) -> None:
        self._table, self._schema = table, schema
        self._batches: list[pa.RecordBatch] = []
        self._saved = time.monotonic()

    def add(self, files: list[str], part: MeasuredRows) -> None:
        pixels = [measured for _, measured in part]
        columns = [pa.array(files, pa.string())]
        columns += [
            pa.array([getattr(p, field.name) for p in pixels], field.type)
            for field in list(self._schema)[1:]
        ]
        self._batches.append(pa.record_batch(columns, schema=self._schema))
        if time.monotonic() - self._saved > SAVED_SECONDS:
            self.save()

    def save(self) -> None:
        if self._batches or not tables.exists(self._table):
            tables.write(self._table, self._schema, self._batches)
        self._batches, self._saved = [], time.monotonic()
