"""Make small pictures of a data set, which a clone without the pixels shows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.imaging.image_reader import ImageReader
from likewise.imaging.probe import BadImage
from likewise.imaging.thumbnail import make_thumbnail
from likewise.storage import artefacts, journal, tables, timings, versions
from likewise.storage.schema import THUMBS
from likewise.storage.workspace import Workspace

_BATCH = 64
_THREADS = 4
_PICTURE = "picture"


@dataclass(frozen=True)
class Thumbs:
    """The result of ``thumbs``.

    Attributes:
        dataset: name of the data set.
        made: number of pictures that were made.
        kept: number of pictures that existed already.
        unreadable: number of contents without a picture, because they cannot be decoded.
        nbytes: size of all pictures in bytes.
    """

    dataset: str
    made: int
    kept: int
    unreadable: int
    nbytes: int


def thumbs(dataset: str, *, workspace: StrPath | None = None) -> Thumbs:
    """Make a small JPEG of every distinct content of ``dataset``.

    The page and ``site`` show them where the pixels were not pulled. The pictures are a table
    of a data set like others: ``likewise push`` and ``pull`` move it, and ``forget`` removes
    what was taken down. Pictures that exist are not made again. A corrected label changes
    nothing.

    Args:
        dataset: a data set with an entry in ``thumbs`` of params.yaml.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set.
        ConfigError: ``thumbs`` of params.yaml has no entry of the data set.
        MissingArtefactError: the data set was not ingested.

    Example:
        With ``thumbs: {emoji: {side: 64}}`` in params.yaml:

        >>> with open("params.yaml", "a") as params:
        ...     print("thumbs: {emoji: {side: 64}}", file=params)
        >>> made = likewise.thumbs("emoji")
        >>> made.made, made.kept, made.unreadable
        (23, 0, 0)
        >>> likewise.thumbs("emoji").made
        0
    """
    ws = open_workspace(workspace)
    ws.need_entry("thumbs", dataset)
    side = ws.params.thumbs[dataset].side
    made = artefacts.table(ws, dataset, THUMBS.name)
    metadata = {_PICTURE: {"side": str(side)}}
    with journal.exclusive_job(ws, made.stage.job):
        staging = journal.Staging(ws, made.stage.job, keep=(made.path.name,))
        path = staging.path(made.path)
        table = IncrementalTable(path, tables.lance_schema(THUMBS, metadata), "content")
        wanted = _wanted(ws, dataset)
        current = partial(_has_side, side=side)
        earlier = versions.locate_earlier(ws, made.path)
        kept = table.start(earlier, wanted["content"], current)
        table.erase(takedowns.read(ws.forgotten(dataset)))
        todo = wanted.filter(~pl.col("content").is_in(kept.keys.implode()))
        count = _make(ws, dataset, todo, table, side)
        table.finish()
        stored = tables.open_table(path, "")
        sizes = (pc.sum(pc.binary_length(b.column(0))) for b in stored.scan([_PICTURE]))
        nbytes = sum(size.as_py() or 0 for size in sizes)
        digests = stored.digest(THUMBS)
        atomic.write_text(staging.path(made.digests), digests.to_yaml())
        staging.commit()
    return Thumbs(dataset, count, len(kept.keys), len(todo) - count, nbytes)


def _make(
    ws: Workspace, dataset: str, todo: pl.DataFrame, table: IncrementalTable, side: int
) -> int:
    """Append the pictures of contents to the table; return their number."""
    count = 0
    with (
        tqdm(total=len(todo), unit="img", desc=f"thumbs {dataset}", disable=None) as bar,
        timings.measured(ws, f"thumbs-{dataset}") as watch,
    ):
        for rows, pictures in _pictures(ws, dataset, todo, side):
            table.append(*_columns(rows, pictures))
            count += sum(picture is not None for picture in pictures)
            bar.update(len(rows))
        watch.units = len(todo)
    return count


def _wanted(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return each distinct content, with the row of its image and its box."""
    parts = [artefacts.table(ws, dataset, name) for name in ("items", "images")]
    items, images = (
        tables.open_table(versions.locate(ws, one.path), one.command) for one in parts
    )
    rows = images.read(["image_id"]).with_row_index("row")
    contents = items.read(["content", "image_id", "box"]).unique("content", keep="first")
    return contents.join(rows, on="image_id").sort("row", "content")


def _has_side(table: Path, *, side: int) -> bool:
    """Return True if the pictures of a table have the side that is wanted."""
    if not tables.exists(table):
        return False
    return tables.open_table(table, "").metadata(_PICTURE).get("side") == str(side)


def _pictures(
    ws: Workspace, dataset: str, todo: pl.DataFrame, side: int
) -> Iterator[tuple[pl.DataFrame, list[bytes | None]]]:
    """Yield batches of contents with their pictures; None for one that cannot be decoded."""
    images = versions.locate(ws, artefacts.table(ws, dataset, "images").path)
    reader = ImageReader(images, todo["row"].to_list())

    def make(one: tuple[bytes, list[float] | None]) -> bytes | None:
        try:
            return make_thumbnail(one[0], side, one[1])
        except BadImage:
            return None

    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(todo), _BATCH):
            rows = todo[start : start + _BATCH]
            data = reader.encoded(range(start, start + len(rows)))
            yield rows, [*pool.map(make, zip(data, rows["box"].to_list(), strict=True))]


def _columns(
    rows: pl.DataFrame, pictures: list[bytes | None]
) -> tuple[list[str], list[pa.Array]]:
    """Return the contents that have a picture, and the column of the pictures."""
    pairs = [
        (content, picture)
        for content, picture in zip(rows["content"], pictures, strict=True)
        if picture is not None
    ]
    names, data = [name for name, _ in pairs], [picture for _, picture in pairs]
    return names, [pa.array(data, pa.large_binary())]
