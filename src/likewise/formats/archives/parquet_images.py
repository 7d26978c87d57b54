"""Images in a column of Parquet files, as Hugging Face writes them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from likewise.formats.archives.file_collection import FileCollection, damaged_error
from likewise.formats.archives.folders_anywhere import open_folder
from likewise.formats.archives.listing import FileListing
from likewise.formats.object_storage import is_remote

_BATCH_ROWS = 16
"""Images in memory at a time."""

_IMAGE_NAMES = ("image", "img", "picture", "photo")
_MAGIC = b"PAR1"


class ParquetImages(FileCollection):
    """Images in a column of one Parquet file, or of all Parquet files in a folder.

    Each row is a file: ``data/train.parquet/00000017.jpg`` is row 17 (from 0), with the suffix
    of the name stored in the cell, if any. ``nbytes`` is the average of the row group, because
    the true size would require reading the cell. Files are read in one pass, because a single
    row requires reading its row group.
    """

    random_access = False
    place_columns = ("table", "row")

    def __init__(self, path: Path, column: str) -> None:
        """Use ``column``, which is binary or a struct of ``bytes`` and ``path``."""
        super().__init__(path)
        self.column = column

    @property
    def tables(self) -> dict[str, Path]:
        """Parquet files by their path in the folder, sorted."""
        return find_parquet_files(self.path)

    def read(self, path: str) -> bytes:
        """See ``FileCollection.read``."""
        for _, data in self.read_many([path]):
            return data
        raise self._missing(path)

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield each of ``paths`` with its bytes, in the order of files and rows."""
        wanted = self._rows(list(paths)).sort("table", "row")
        places = list(self.tables.values())
        for (number,), part in wanted.group_by("table", maintain_order=True):
            place = places[int(str(number))]
            with damaged_error(place):
                yield from _cells(
                    pq.ParquetFile(opened(place), pre_buffer=False), self.column, part
                )

    def located(self, paths: pl.Series) -> pl.DataFrame:
        """See ``FileCollection.located``; a table counts as an archive with random access."""
        rows = self._rows(paths).sort("table", "row")
        names = pl.Series(list(self.tables), dtype=pl.String)
        return rows.with_columns(archive=names[rows["table"]], one_pass=pl.lit(value=False))

    def _scan(self) -> FileListing:
        frames = [
            self._listed(number, name, place)
            for number, (name, place) in enumerate(self.tables.items())
        ]
        return FileListing(pl.concat(frames).sort("path"), [], [])

    def _listed(self, number: int, name: str, place: Path) -> pl.DataFrame:
        with damaged_error(place):
            file = pq.ParquetFile(opened(place))
            suffixes = _suffixes(file, self.column)
            sizes = _sizes(file, _leaf_column(file, self.column))
        row = pl.int_range(len(suffixes), dtype=pl.Int64)
        return pl.DataFrame({"suffix": suffixes, "nbytes": sizes}).select(
            path=pl.lit(f"{name}/") + row.cast(pl.String).str.zfill(8) + pl.col("suffix"),
            nbytes="nbytes",
            stamp=pl.lit(place.stat().st_mtime_ns, pl.Int64),
            table=pl.lit(number, pl.Int64),
            row=row,
        )


def opened(place: Path) -> Path | IO[bytes]:
    """Return the file ``place`` as pyarrow reads it: an object of a store as a stream."""
    return place.open("rb") if is_remote(place) else place


def find_parquet_files(path: Path) -> dict[str, Path]:
    """Return the Parquet files in the folder ``path``, or that file: name -> path, sorted."""
    if path.is_file():
        with path.open("rb") as stream:
            return {path.name: path} if stream.read(len(_MAGIC)) == _MAGIC else {}
    listing = open_folder(path).listing()["path"]
    shown = ~listing.str.contains(r"(^|/)\.")
    return {name: path / name for name in listing.filter(_is_parquet_name(listing) & shown)}


def image_column(place: Path, wanted: str = "") -> str:
    """Return the image column of the Parquet file ``place``; "" without such a column.

    It is the column ``wanted``, or a struct of ``bytes`` and ``path``: the one called "image",
    or the first. A column whose bytes are all null names files instead.
    """
    with damaged_error(place):
        file = pq.ParquetFile(opened(place))
        schema = file.schema_arrow
        held = [f.name for f in schema if _holds_images(f.type) and _has_bytes(file, f.name)]
    if wanted in schema.names:
        kind = schema.field(wanted).type
        return wanted if wanted in held or _is_binary(kind) else ""
    usual = [name for name in held if name.lower() in _IMAGE_NAMES]
    return next(iter((*usual, *held)), "")


def _has_bytes(file: pq.ParquetFile, column: str) -> bool:
    """Return whether a cell of ``column`` has bytes, by the statistics of its row groups."""
    leaf = f"{column}.bytes"
    names = [file.schema.column(n).path for n in range(len(file.schema))]
    if leaf not in names:
        return False
    at = names.index(leaf)
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        facts = group.column(at).statistics
        if facts is None or not facts.has_null_count or facts.null_count < group.num_rows:
            return True
    return not file.metadata.num_rows


def validated_table(table: pa.Table) -> pa.Table:
    """Return ``table`` after full validation (UTF-8 text, list offsets), without metadata.

    Metadata is dropped because it is not validated, and polars aborts the process if it is not
    UTF-8.

    Raises:
        ArrowInvalid: the table is not valid.
    """
    table.validate(full=True)
    return _without_wide_decimals(table.replace_schema_metadata(None))


def _without_wide_decimals(table: pa.Table) -> pa.Table:
    """Convert decimals of 256 bits to text; polars ends the process for them.

    Raises:
        ValueError: the decimals are in lists or structs.
    """
    for number, field in enumerate(table.schema):
        if pa.types.is_decimal256(field.type):
            texts = table.column(number).cast(pa.string())
            table = table.set_column(number, field.name, texts)
        elif "decimal256" in str(field.type) or "interval" in str(field.type):
            raise ValueError(f"its column {field.name!r} has the type {field.type}")
    return table


def _is_parquet_name(names: pl.Series) -> pl.Series:
    return names.str.to_lowercase().str.ends_with(".parquet")


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_images(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind):
        return False
    inside = {field.name: field.type for field in kind}
    return "bytes" in inside and _is_binary(inside["bytes"])


def _leaf_column(file: pq.ParquetFile, column: str) -> str:
    """Return the leaf column with the bytes: the column itself, or its field ``bytes``."""
    schema = file.schema_arrow
    kind = schema.field(column).type if column in schema.names else pa.null()
    if _holds_images(kind):
        return f"{column}.bytes"
    if not _is_binary(kind):
        raise ValueError(f"it has no image column {column!r}, unlike the other tables")
    return column


def _sizes(file: pq.ParquetFile, leaf: str) -> pl.Series:
    """Return the average number of bytes per row of each row's row group."""
    names = [file.schema.column(n).path for n in range(len(file.schema))]
    groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
    totals = [group.column(names.index(leaf)).total_uncompressed_size for group in groups]
    counts = [group.num_rows for group in groups]
    frame = pl.DataFrame(
        {"total": totals, "count": counts}, schema={"total": pl.Int64, "count": pl.Int64}
    ).filter(pl.col("count") > 0)
    share = pl.col("total") // pl.col("count")
    return frame.select(nbytes=share.repeat_by("count")).explode("nbytes").to_series()


def _suffixes(file: pq.ParquetFile, column: str) -> pl.Series:
    """Return the lower-case suffix of the name in each cell; "" if there is none."""
    leaf = f"{column}.path"
    if leaf not in [file.schema.column(n).path for n in range(len(file.schema))]:
        return pl.repeat("", file.metadata.num_rows, dtype=pl.String, eager=True)
    cells = validated_table(file.read(columns=[leaf])).column(0)
    names = pl.Series(pl.from_arrow(cells)).struct.field("path").cast(pl.String)
    return names.str.to_lowercase().str.extract(r"(\.[a-z0-9]{1,5})\z").fill_null("")


def _cells(
    file: pq.ParquetFile, column: str, part: pl.DataFrame
) -> Iterator[tuple[str, bytes]]:
    """Yield the cells of the rows in ``part`` (``path``, ``row``; sorted); null becomes b""."""
    leaf, start = _leaf_column(file, column), 0
    rows, paths = part["row"], part["path"]
    at = 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        if at < len(rows) and rows[at] < end:
            for cell in _group(file, leaf, group):
                if at < len(rows) and rows[at] == start:
                    yield paths[at], cell
                    at += 1
                start += 1
        start = end


def _group(file: pq.ParquetFile, leaf: str, group: int) -> Iterator[bytes]:
    batches = file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[group], columns=[leaf])
    for batch in batches:
        cells = batch.column(0)
        if pa.types.is_struct(cells.type):
            cells = cells.field("bytes")
        for cell in cells:
            yield cell.as_py() or b""
