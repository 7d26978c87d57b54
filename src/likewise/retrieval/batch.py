"""Answer a table of queries at once."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray, Float32Array, Int64Array
from likewise.formats.paths import StrPath
from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.search_query import Query, open_picture
from likewise.retrieval.searcher import Searchable, Searcher, resolve_model

_PICTURES = 64
_WAYS = ("id", "image", "vector")

Queries: TypeAlias = StrPath | pl.DataFrame | pl.LazyFrame | AnyArray
"""A table of queries, a file with one, or an array (queries, dimensions) of vectors."""


def search_table(dataset: Searchable, queries: Queries, query: Query) -> Hits:
    """Answer every row of ``queries`` as ``query`` asks; see ``search_many``."""
    if isinstance(queries, str | os.PathLike):
        folder, frame = Path(queries).parent, _table(Path(queries))
    else:
        folder, frame = Path(), _frame(queries)
    searcher = dataset.searcher(
        resolve_model(dataset, query.model), query.index or EXACT, fresh=False
    )
    way = _way(frame)
    vectors, rows = _vectors(searcher, frame[way], way, folder)
    found = [searcher.none(), *searcher.many(vectors, rows, query)]
    names = ["", *_names(frame, way)]
    frame = pl.concat(
        one.select(pl.lit(name).alias("query"), pl.all())
        for name, one in zip(names, found, strict=True)
    )
    return Hits(frame, {dataset.name: dataset})


def _frame(queries: pl.DataFrame | pl.LazyFrame | AnyArray) -> pl.DataFrame:
    """A table of queries that is in memory; an array (q, d) holds a vector a row."""
    if isinstance(queries, pl.LazyFrame):
        return queries.collect()
    if isinstance(queries, pl.DataFrame):
        return queries
    values = np.asarray(queries)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        shape = " x ".join(map(str, values.shape)) or "no"
        raise DataError(
            f"queries hold {shape} values of {values.dtype}; give (queries, dimensions) numbers"
        )
    return pl.DataFrame({"vector": values.tolist()}, {"vector": pl.List(pl.Float64)})


def _table(path: Path) -> pl.DataFrame:
    readers = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson}
    if path.suffix not in readers:
        raise DataError(f"{path}: queries are a .csv, .parquet or .jsonl file")
    try:
        found: pl.DataFrame = readers[path.suffix](path)  # type: ignore[operator]
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: {said}") from error
    return found


def _way(frame: pl.DataFrame) -> str:
    """Which column says what to look for."""
    given = [name for name in _WAYS if name in frame.columns]
    if len(given) != 1:
        found = " and ".join(given) or f"only {', '.join(frame.columns) or 'nothing'}"
        raise DataError(f"queries have one column of id, image and vector; here is {found}")
    empty = frame[given[0]].null_count()
    if empty:
        raise DataError(f"queries: the column {given[0]} is empty in {empty:,} rows")
    return given[0]


def _names(frame: pl.DataFrame, way: str) -> list[str]:
    if "query" in frame.columns:
        return frame["query"].cast(pl.String).to_list()
    if way == "vector":
        return [str(number) for number in range(len(frame))]
    return frame[way].cast(pl.String).to_list()


def _vectors(
    searcher: Searcher, column: pl.Series, way: str, folder: Path
) -> tuple[Float32Array, Int64Array]:
    """The queries' vectors, and the rows of those that are items, -1 for others."""
    none = np.full(len(column), NONE, np.int64)
    if column.is_empty():
        return np.empty((0, searcher.dim), np.float32), none
    if way == "vector":
        values = [np.asarray(one, np.float64) for one in column.to_list()]
        return np.stack([searcher.fitting(one) for one in values]), none
    if way == "id":
        names = column.cast(pl.String).to_list()
        rows = np.array([searcher.row(name) for name in names], np.int64)
        absent = [name for name, row in zip(names, rows, strict=True) if row == NONE]
        if absent:
            raise DataError(f"queries: no item {bounded(absent, len(absent))}")
        return searcher.taken(rows.tolist()), rows
    paths = [folder / name for name in column.cast(pl.String)]
    parts = [
        searcher.encode([open_picture(path) for path in paths[start : start + _PICTURES]])
        for start in range(0, len(paths), _PICTURES)
    ]
    return np.concatenate(parts), none
