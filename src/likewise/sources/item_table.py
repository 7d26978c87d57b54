"""Items that people bring as a file: a table, or the ground truth of a landmark benchmark."""

from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.paths import StrPath
from likewise.formats.pickles import read_structure
from likewise.sources.revisited import ground_truth

ABSENT = ("label", "subset", "split", "role")
"""Columns that every protocol may ask for, null where a table does not have them."""

_SUFFIXES = (".csv", ".parquet", ".pkl")


def read_items(path: Path) -> pl.DataFrame:
    """The items in ``path``, a row each, in the order of their vectors.

    - ``.csv``, ``.parquet``: a column ``item_id`` and what the protocol reads: label, split,
      role, subset, and columns of its own, as ``camera``; lists only in Parquet;
    - ``.pkl``: the ground truth of Revisited Oxford or Paris: the images of ``imlist``, then
      the queries of ``qimlist``.

    Raises:
        DataError: no such file or suffix, damaged, no ``item_id``, or one that stands twice.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise DataError(f"{path}: expected a table that ends in {', '.join(_SUFFIXES)}")
    try:
        if suffix == ".pkl":
            return _landmarks(path)
        frame = pl.read_csv(path, infer_schema=False) if suffix == ".csv" else None
        return checked_items(pl.read_parquet(path) if frame is None else frame, path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def _landmarks(path: Path) -> pl.DataFrame:
    told = ground_truth(read_structure(path.read_bytes(), str(path)), str(path))
    query = pl.when(role="query").then(pl.lit("#1")).otherwise(pl.lit(""))
    return checked_items(told.with_columns(item_id=pl.col("name") + query), path)


def checked_items(frame: pl.DataFrame, where: StrPath) -> pl.DataFrame:
    """A table of items with every column that protocols may ask for; ``where`` it comes from.

    Raises:
        DataError: it has no ``item_id``, or one that stands twice.
    """
    if "item_id" not in frame.columns:
        raise DataError(f"{where}: no column 'item_id'; {hint('item_id', frame.columns)}")
    names = frame["item_id"].cast(pl.String)
    twice = names.filter(names.is_duplicated()).unique().sort()
    if len(twice) or names.null_count():
        said = f"stands twice: {bounded(twice, len(twice))}" if len(twice) else "is empty"
        raise DataError(f"{where}: an item_id {said}")
    absent = [pl.lit(None, pl.String).alias(c) for c in ABSENT if c not in frame.columns]
    plain = [pl.col(c).cast(pl.String) for c in ABSENT if c in frame.columns]
    return frame.with_columns(names, *plain, *absent)
