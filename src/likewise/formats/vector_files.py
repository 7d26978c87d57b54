"""Read vectors of images from users' files, in blocks: arrays, tables and tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray
from likewise.formats.arrays import NPZ_KEYS, read_array

BLOCK = 65_536
"""Number of vectors that are read at once."""

ID_COLUMNS = ("item_id", "id", "image_id", "path", "file", "filename", "file_name", "name")
"""Names of the column of ids of a table: the first of these that exists."""

VECTOR_COLUMNS = ("vector", "embedding", "embeddings", "features", "feature", "vectors")
"""Names of the column of vectors of a table: the first of these that exists."""

_TEXTS = {name: pl.String() for name in ID_COLUMNS}
"""The type of columns of ids, which may look like numbers: 0001."""

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
        raise DataError(f"{path}: there is no such file")
    if suffix == ".parquet":
        yield from _parquet(path)
    elif suffix in TABLES:
        frame = _delimited(path, "\t" if suffix == ".tsv" else ",")
        yield from (_block(part, path) for part in frame.iter_slices(BLOCK))
    elif suffix in TENSORS:
        yield from blocks(_tensor(path), None, path)
    elif suffix in ARRAYS:
        yield from blocks(read_array(path), _ids_of_npz(path), path)
    else:
        known = ", ".join((*ARRAYS, *TABLES, *TENSORS, ".pt"))
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
        raise DataError(f"{path}: has {len(vectors):,} vectors and {len(ids):,} ids")
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
        frame = _delimited(path, "\t" if path.suffix.lower() == ".tsv" else ",")
    else:
        try:
            return path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error
    ids = _ids(frame, path)
    if ids is None:
        raise DataError(f"{path}: has no column of ids; name it {' or '.join(ID_COLUMNS[:3])}")
    return ids


def _parquet(path: Path) -> Iterator[VectorBlock]:
    with _read(path, lambda: pq.ParquetFile(path)) as file:
        try:
            for batch in file.iter_batches(BLOCK):
                yield _block(cast("pl.DataFrame", pl.from_arrow(batch)), path)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error


def _delimited(path: Path, separator: str) -> pl.DataFrame:
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


def _block(frame: pl.DataFrame, path: Path) -> VectorBlock:
    ids = _ids(frame, path)
    name = next((name for name in VECTOR_COLUMNS if name in frame.columns), None)
    if name is not None:
        return VectorBlock(ids, _lists(frame[name], path))
    numbers = [c for c, kind in frame.schema.items() if kind.is_numeric()]
    if not numbers:
        raise DataError(
            f"{path}: has no vectors; expected a column of lists with the name "
            f"{' or '.join(VECTOR_COLUMNS[:3])}, or a column of numbers for each dimension"
        )
    return VectorBlock(ids, frame.select(pl.col(numbers).cast(pl.Float64)).to_numpy())


def _ids(frame: pl.DataFrame, path: Path) -> list[str] | None:
    name = next((name for name in ID_COLUMNS if name in frame.columns), None)
    if name is None:
        return None
    ids = frame[name].cast(pl.String)
    if ids.null_count():
        raise DataError(f"{path}: {ids.null_count():,} rows have no {name}")
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


def _ids_of_npz(path: Path) -> list[str] | None:
    """Return the array ``ids`` of an .npz, if there is one."""
    if path.suffix.lower() != ".npz":
        return None
    with np.load(path, allow_pickle=False) as archive:
        if "ids" not in archive.files or not set(archive.files) & {*NPZ_KEYS}:
            return None
        return [str(one) for one in archive["ids"].tolist()]


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
