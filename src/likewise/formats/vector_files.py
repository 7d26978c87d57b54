"""Read vectors of images from users' files, in blocks: arrays, tables and tensors."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray
from likewise.formats.arrays import read_array
from likewise.formats.counted_nouns import counted
from likewise.formats.npz_ids import ids_of_npz

BLOCK = 65_536
"""Number of vectors that are read at once."""

ID_COLUMNS = ("item_id", "id", "image_id", "path", "file", "filename", "file_name", "name")
"""Names of the column of ids of a table: the first of these that exists."""

VECTOR_COLUMNS = ("vector", "embedding", "embeddings", "features", "feature", "vectors")
"""Names of the column of vectors of a table: the first of these that exists."""

_TEXTS = {name: pl.String() for name in ID_COLUMNS}
"""The type of columns of ids, which may look like numbers: 0001."""

_NUMBERED = re.compile(r"(.*?)(\d+)")
"""The name of a column of one dimension: d0, dim_17, 3."""

TABLES = (".parquet", ".csv", ".tsv")
ARRAYS = (".npy", ".npz", ".json", ".txt", ".pkl", ".pickle")
TENSORS = (".safetensors",)


@dataclass(frozen=True)
class VectorBlock:
    """Consecutive vectors of a file.

    Attributes:
        ids: the ids of the vectors; None if the file has none.
        vectors: (n, d) numbers.
    """

    ids: Sequence[str] | None
    vectors: AnyArray


def read_vectors(path: Path) -> Iterator[VectorBlock]:
    """Yield the vectors of a file in their order; the suffix determines the format.

    - ``.npy``, ``.npz``, ``.json``, ``.txt``, ``.pkl``: an array (n, d); an ``.npz`` may have
      an array ``ids`` too
    - ``.parquet``, ``.csv``, ``.tsv``: a column of ids, and a column of lists or one column of
      numbers for each dimension
    - ``.safetensors``: a tensor (n, d)

    Raises:
        DataError: the file is missing or damaged, or has no vectors.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    if suffix == ".parquet":
        yield from _parquet(path)
    elif suffix in TABLES:
        frame = _delimited(path)
        yield from (table_block(part, path) for part in frame.iter_slices(BLOCK))
    elif suffix in TENSORS:
        yield from blocks(_tensor(path), None, path)
    elif suffix in ARRAYS:
        yield from blocks(read_array(path), ids_of_npz(path, ("ids", *ID_COLUMNS)), path)
    else:
        known = ", ".join((*ARRAYS, *TABLES, *TENSORS, ".pt", ".lance"))
        raise DataError(f"{path}: expected a file that ends in {known}")


def blocks(vectors: AnyArray, ids: Sequence[str] | None, path: Path) -> Iterator[VectorBlock]:
    """Yield an array of vectors in blocks.

    Args:
        vectors: (n, d) numbers.
        ids: n ids, or None.
        path: their file, for messages.

    Raises:
        DataError: the array has another shape, or another number of ids.
    """
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise DataError(f"{path}: has the shape {vectors.shape}; expected (items, dimensions)")
    if ids is not None and len(ids) != len(vectors):
        raise DataError(
            f"{path}: has {counted(len(vectors), 'vector')} and {counted(len(ids), 'id')}"
        )
    for start in range(0, len(vectors), BLOCK):
        end = start + BLOCK
        yield VectorBlock(None if ids is None else ids[start:end], vectors[start:end])


def read_ids(path: Path) -> list[str]:
    """Read ids, one per line of a text file, or the column of ids of a table.

    Raises:
        DataError: the file is missing or damaged, or has no column of ids.
    """
    if path.suffix.lower() == ".parquet":
        frame = _read(path, lambda: pl.read_parquet(path))
    elif path.suffix.lower() in TABLES:
        frame = _delimited(path)
    else:
        try:
            return path.read_text(encoding="utf-8-sig").rstrip("\r\n").splitlines()
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: is not a text in UTF-8: {error}") from error
    return ids_of(frame, path)


def ids_of(frame: pl.DataFrame, path: Path) -> list[str]:
    """Return the ids of the rows of a table.

    Raises:
        DataError: the table has no column of ids, or an id is missing.
    """
    ids = _ids(frame, path)
    if ids is None:
        raise DataError(f"{path}: has no column of ids; name it {' or '.join(ID_COLUMNS[:3])}")
    return ids


def _parquet(path: Path) -> Iterator[VectorBlock]:
    with _read(path, lambda: pq.ParquetFile(path)) as file:
        try:
            for batch in file.iter_batches(BLOCK):
                yield table_block(cast("pl.DataFrame", pl.from_arrow(batch)), path)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error


def _delimited(path: Path) -> pl.DataFrame:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    return cast(
        "pl.DataFrame",
        _read(
            path,
            lambda: pl.read_csv(path, separator=separator, schema_overrides=_TEXTS),
        ),
    )


def _read(path: Path, read: Any) -> Any:
    try:
        return read()
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        line = next(iter(str(error).splitlines()), "")
        raise DataError(f"{path}: cannot be read: {line}") from error


def table_block(frame: pl.DataFrame, path: Path) -> VectorBlock:
    """Return the vectors, and ids if there are any, in some rows of a table.

    Raises:
        DataError: there is no column of vectors, or a value is missing or not a number.
    """
    ids = _ids(frame, path)
    name = next((name for name in VECTOR_COLUMNS if name in frame.columns), None)
    if name is not None:
        return VectorBlock(ids, _lists(frame[name], path))
    dimensions = frame.drop(_id_column(frame.columns) or [])
    _check_dimensions(dimensions, path)
    return VectorBlock(ids, dimensions.select(pl.all().cast(pl.Float64)).to_numpy())


def _check_dimensions(frame: pl.DataFrame, path: Path) -> None:
    """Refuse columns that are not the dimensions of vectors, such as a numeric label.

    Raises:
        DataError: a column has a name that is not a common prefix and a number, or a text.
    """
    parts = {name: _NUMBERED.fullmatch(name) for name in frame.columns}
    prefixes = [match[1] for match in parts.values() if match]
    usual = max(prefixes, key=prefixes.count) if prefixes else ""
    other = [name for name, match in parts.items() if match is None or match[1] != usual]
    if other or not prefixes:
        listed = bounded(map(repr, other), len(other)) or "no column"
        raise DataError(
            f"{path}: {listed} is not a dimension; "
            "expected a column of ids, and either a column of lists with the name "
            f"{' or '.join(VECTOR_COLUMNS[:3])} or a column for each dimension: d0, d1 ..."
        )
    for column in frame:
        numbers = column.cast(pl.Float64, strict=False)
        bad = numbers.is_null().arg_true()
        if len(bad):
            value = column[int(bad[0])]
            raise DataError(
                f"{path}: {column.name} has no number in {len(bad):,} of "
                f"{counted(len(column), 'row')}, first in row {int(bad[0]) + 1:,}: {value!r}"
            )


def _id_column(names: Collection[str]) -> str | None:
    return next((name for name in ID_COLUMNS if name in names), None)


def columns_to_read(names: Collection[str]) -> list[str]:
    """Return the columns of ids and vectors of a table; all without a column of lists."""
    vectors = [name for name in VECTOR_COLUMNS if name in names][:1]
    return [*columns_of_ids(names), *vectors] if vectors else list(names)


def columns_of_ids(names: Collection[str]) -> list[str]:
    """Return the column of ids of a table, if it has one."""
    return [name for name in (_id_column(names),) if name is not None]


def _ids(frame: pl.DataFrame, path: Path) -> list[str] | None:
    name = _id_column(frame.columns)
    if name is None:
        return None
    ids = frame[name].cast(pl.String)
    if ids.null_count():
        raise DataError(f"{path}: {counted(ids.null_count(), 'row', 'has', 'have')} no {name}")
    return ids.to_list()


def _lists(column: pl.Series, path: Path) -> AnyArray:
    """Return a column of lists of equal length as an array."""
    if not isinstance(column.dtype, pl.List | pl.Array):
        raise DataError(f"{path}: the column {column.name} has no lists of numbers")
    lengths = column.arr.len() if isinstance(column.dtype, pl.Array) else column.list.len()
    if column.null_count() or lengths.n_unique() > 1:
        various = lengths.fill_null(0).unique().sort()
        raise DataError(
            f"{path}: the vectors in {column.name} differ in length: "
            f"{bounded(various.cast(pl.String), len(various))} numbers"
        )
    flat = column.explode(empty_as_null=False) if len(column) else column
    if not flat.dtype.is_numeric():
        raise DataError(f"{path}: the column {column.name} has no lists of numbers")
    return cast("AnyArray", flat.to_numpy().reshape(len(column), -1))


def _tensor(path: Path) -> AnyArray:
    """Return the only tensor of two dimensions of a file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
            names = [name for name, shape in shapes.items() if len(shape) == 2]
            chosen = next((n for n in VECTOR_COLUMNS if n in names), names[0] if names else "")
            if not chosen or (len(names) > 1 and chosen not in VECTOR_COLUMNS):
                raise DataError(
                    f"{path}: has {bounded(sorted(shapes), len(shapes)) or 'no tensor'}; "
                    "expected one tensor (items, dimensions)"
                )
            return cast("AnyArray", file.get_tensor(chosen))
    except (SafetensorError, OSError, TypeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
