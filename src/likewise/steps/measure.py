"""Measure the pixels of a data set's images. Known files are not measured again."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.imaging.measure_many import MeasuredRows, measure_all
from likewise.imaging.pixel_statistics import VERSION
from likewise.schema import PIXELS
from likewise.storage import artefacts, journal, tables, versions

_MEASURED = "phash"
"""The column whose metadata record the version of the measures."""


@dataclass(frozen=True)
class MeasuredImages:
    """The result of ``measure``.

    Attributes:
        dataset: name of the data set.
        computed: number of files that were decoded and measured.
        taken_over: number of files whose measures were known already.
        dropped: number of old measures that no file of the data set has any more.
    """

    dataset: str
    computed: int
    taken_over: int
    dropped: int


def measure(dataset: str, *, workspace: StrPath | None = None) -> MeasuredImages:
    """Measure brightness, sharpness and perceptual hash of every distinct file of ``dataset``.

    A file is identified by its SHA-256. Files measured before, also by a run that was killed,
    are not decoded again. A file that cannot be decoded is recorded as such.

    Args:
        dataset: name of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: the data set was not ingested.

    Example:
        >>> likewise.measure("emoji")
        MeasuredImages(dataset='emoji', computed=23, taken_over=0, dropped=0)
        >>> likewise.measure("emoji").computed
        0
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    schema = tables.lance_schema(PIXELS, {_MEASURED: {"version": VERSION}})
    job = f"measure-{dataset}"
    with journal.exclusive_job(ws, job):
        staging = journal.Staging(ws, job, keep=(ws.table(dataset, "pixels").name,))
        path = staging.path(ws.table(dataset, "pixels"))
        table = IncrementalTable(path, schema, "sha256")
        images = versions.locate(ws, ws.table(dataset, "images"))
        wanted = _files(images, artefacts.table(ws, dataset, "images").command)
        earlier = versions.locate_earlier(ws, ws.table(dataset, "pixels"))
        kept = table.start(earlier, wanted["sha256"], _same_make)
        table.erase(takedowns.read(ws.forgotten(dataset)))
        todo = wanted.filter(~pl.col("sha256").is_in(kept.keys.implode()))
        _compute(images, todo, table, dataset)
        table.finish()
        digests = tables.open_table(path, "").digest(PIXELS)
        atomic.write_text(staging.path(ws.pixel_digests(dataset)), digests.to_yaml())
        staging.commit()
    return MeasuredImages(dataset, len(todo), len(kept.keys), kept.dropped)


def _files(images: Path, command: str) -> pl.DataFrame:
    """Return each distinct file with the first row of the images table that holds it."""
    table = tables.open_table(images, command)
    rows = table.read(["image_id", "sha256", "nbytes"]).with_row_index("row")
    return rows.sort("image_id").unique("sha256", keep="first").sort("row")


def _same_make(table: Path) -> bool:
    if not tables.exists(table):
        return False
    return tables.open_table(table).metadata(_MEASURED).get("version") == VERSION


def _compute(images: Path, todo: pl.DataFrame, table: IncrementalTable, dataset: str) -> None:
    """Measure the files in ``todo`` and append the results to ``table``."""
    names = dict(todo.select("row", "sha256").iter_rows())
    parts = measure_all(images, todo["row"].to_list(), todo["nbytes"].to_list())
    with tqdm(total=len(todo), unit="img", desc=f"measure {dataset}", disable=None) as bar:
        for part in parts:
            table.append([names[row] for row, _ in part], _columns(part))
            bar.update(len(part))


def _columns(part: MeasuredRows) -> list[pa.Array]:
    """Return the columns of the pixels table without its key."""
    pixels = [measured for _, measured in part]
    return [
        pa.array([getattr(p, field.name) for p in pixels], field.type)
        for field in list(PIXELS.arrow())[1:]
    ]
